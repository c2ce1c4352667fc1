"""which call made an event"""

from alembic import op
import sqlalchemy as sa

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0008'
NAMES = ('client_id', 'request_id', 'impersonator_id')


def upgrade() -> None:
    with op.batch_alter_table('order_events', schema=None) as batch_op:
        for name in NAMES:
            batch_op.add_column(sa.Column(name, sa.String(length=100), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('order_events', schema=None) as batch_op:
        for name in reversed(NAMES):
            batch_op.drop_column(name)
