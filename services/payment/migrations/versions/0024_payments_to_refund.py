"""payments of which something has to go back outside are found by an index"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables.
min_reader = "0023"
TO_REFUND = sa.text("external AND captured - refunded > due")


def upgrade() -> None:
    op.create_index("ix_payments_to_refund", "payments", ["update_time"], sqlite_where=TO_REFUND, postgresql_where=TO_REFUND)


def downgrade() -> None:
    op.drop_index("ix_payments_to_refund", "payments")
