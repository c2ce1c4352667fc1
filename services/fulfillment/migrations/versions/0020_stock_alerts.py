"""Thresholds of inventory records, and the alerts of those that were crossed."""

import sqlalchemy as sa
from alembic import op

from libs.db.types import UtcTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would move units past a threshold without an alert.
min_reader = "0020"


def upgrade() -> None:
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        batch_op.add_column(sa.Column("notify_below", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("low_stock", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("crossings", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "stock_alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("record_key", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("notify_below", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("create_time", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_alerts")),
        sa.UniqueConstraint("record_key", "number", name=op.f("uq_stock_alerts_record_key_number")),
    )


def downgrade() -> None:
    op.drop_table("stock_alerts")
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        batch_op.drop_column("crossings")
        batch_op.drop_column("low_stock")
        batch_op.drop_column("notify_below")
