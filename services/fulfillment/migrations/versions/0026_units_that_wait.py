"""Units of supplier orders that wait for stock, and when more is expected."""

import sqlalchemy as sa
from alembic import op

from libs.db.types import UtcTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would report a supplier order at its version without what waits.
min_reader = "0026"

HELD = sa.text("record_key IS NOT NULL AND quantity > shipped")
CHANGED = sa.text("(allocated > 0 AND allocated > on_hand OR waiting > 0) AND waiting_shown != version + bookings")


def upgrade() -> None:
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        batch_op.add_column(sa.Column("waiting", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("waiting_shown", sa.BigInteger(), server_default="0", nullable=False))
    with op.batch_alter_table("allocations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("backordered", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("expected_time", UtcTime(), nullable=True))
    op.create_index("ix_allocations_held", "allocations", ["record_key"], sqlite_where=HELD, postgresql_where=HELD)
    op.create_index(
        "ix_inventory_records_waiting_changed",
        "inventory_records",
        ["key"],
        sqlite_where=CHANGED,
        postgresql_where=CHANGED,
    )


def downgrade() -> None:
    op.drop_index("ix_inventory_records_waiting_changed", table_name="inventory_records")
    op.drop_index("ix_allocations_held", table_name="allocations")
    with op.batch_alter_table("allocations", schema=None) as batch_op:
        batch_op.drop_column("expected_time")
        batch_op.drop_column("backordered")
    with op.batch_alter_table("inventory_records", schema=None) as batch_op:
        batch_op.drop_column("waiting_shown")
        batch_op.drop_column("waiting")
