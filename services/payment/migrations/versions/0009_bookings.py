"""How often the balances of a spending account have moved."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0008"


def upgrade() -> None:
    with op.batch_alter_table("spending_accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("bookings", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("spending_accounts", schema=None) as batch_op:
        batch_op.drop_column("bookings")
