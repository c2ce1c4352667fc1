"""what the seller charges for an order as a whole"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would calculate totals without the fees.
min_reader = "0025"


def upgrade() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("fees", libs.db.types.Json(), server_default="[]", nullable=False))
        for name in ("fee_total", "canceled_fee_total"):
            batch_op.add_column(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        for name in ("canceled_fee_total", "fee_total", "fees"):
            batch_op.drop_column(name)
