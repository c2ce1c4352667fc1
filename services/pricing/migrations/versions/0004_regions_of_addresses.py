"""room for the longest region that an address can have"""

from alembic import op
import sqlalchemy as sa

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only widens names no newer one.
min_reader = '0001'


def upgrade() -> None:
    with op.batch_alter_table('tax_rates', schema=None) as batch_op:
        batch_op.alter_column('region', existing_type=sa.String(length=100), type_=sa.String(length=200), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table('tax_rates', schema=None) as batch_op:
        batch_op.alter_column('region', existing_type=sa.String(length=200), type_=sa.String(length=100), existing_nullable=False)
