"""private halves of keys are sealed by a key from outside, which the next start does: only it knows that key"""

from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. An older build cannot sign with a sealed key.
min_reader = '0015'


def upgrade() -> None:
    pass


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DELETE FROM signing_keys WHERE private_pem LIKE 'sealed%'")
