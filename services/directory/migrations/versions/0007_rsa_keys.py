"""tokens are signed with RSA: keys of another kind go, and the next start makes one"""

from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A build that signs otherwise cannot read the new keys.
min_reader = '0007'


def upgrade() -> None:
    op.get_bind().exec_driver_sql('DELETE FROM signing_keys')


def downgrade() -> None:
    op.get_bind().exec_driver_sql('DELETE FROM signing_keys')
