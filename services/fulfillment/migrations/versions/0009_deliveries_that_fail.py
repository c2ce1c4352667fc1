"""how often the delivery of a supplier order's open units has failed"""

from alembic import op
import sqlalchemy as sa

from libs.db.types import UtcTime

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0001'


def upgrade() -> None:
    with op.batch_alter_table('supplier_orders', schema=None) as batch_op:
        batch_op.add_column(sa.Column('deliver_time', UtcTime(), nullable=True))
        batch_op.add_column(sa.Column('failures', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('failure', sa.String(length=200), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('supplier_orders', schema=None) as batch_op:
        batch_op.drop_column('failure')
        batch_op.drop_column('failures')
        batch_op.drop_column('deliver_time')
