"""how often background work has failed at a row"""

from alembic import op
import sqlalchemy as sa

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = '0002'


def upgrade() -> None:
    with op.batch_alter_table('submissions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('failures', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('failure', sa.String(length=200), nullable=True))

    with op.batch_alter_table('cancellations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('failures', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('failure', sa.String(length=200), nullable=True))

    with op.batch_alter_table('hold_commands', schema=None) as batch_op:
        batch_op.add_column(sa.Column('failures', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('failure', sa.String(length=200), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('hold_commands', schema=None) as batch_op:
        batch_op.drop_column('failure')
        batch_op.drop_column('failures')

    with op.batch_alter_table('cancellations', schema=None) as batch_op:
        batch_op.drop_column('failure')
        batch_op.drop_column('failures')

    with op.batch_alter_table('submissions', schema=None) as batch_op:
        batch_op.drop_column('failure')
        batch_op.drop_column('failures')
