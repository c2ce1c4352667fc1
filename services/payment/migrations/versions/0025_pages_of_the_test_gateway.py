"""pages of the test gateway are found by an index"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables.
min_reader = "0023"


def upgrade() -> None:
    op.create_index("ix_test_gateway_operations_reference", "test_gateway_operations", ["reference"])


def downgrade() -> None:
    op.drop_index("ix_test_gateway_operations_reference", "test_gateway_operations")
