"""room for the ids of supplier orders, which are longer than those they are made from"""

from alembic import op
import sqlalchemy as sa

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only widens names no newer one.
min_reader = '0002'


def upgrade() -> None:
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.alter_column('id', existing_type=sa.String(length=100), type_=sa.String(length=120), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.alter_column('id', existing_type=sa.String(length=120), type_=sa.String(length=100), existing_nullable=False)
