"""which call made an event"""

from alembic import op
import sqlalchemy as sa

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0008'
LENGTHS = {'client_id': 100, 'request_id': 200, 'impersonator_id': 100}


def upgrade() -> None:
    with op.batch_alter_table('order_events', schema=None) as batch_op:
        for name, length in LENGTHS.items():
            batch_op.add_column(sa.Column(name, sa.String(length=length), server_default='', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('order_events', schema=None) as batch_op:
        for name in reversed(LENGTHS):
            batch_op.drop_column(name)
