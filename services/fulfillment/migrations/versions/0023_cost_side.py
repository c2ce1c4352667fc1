"""What suppliers are paid: for supplier orders, their lines, and reservations that others are made of."""

import sqlalchemy as sa
from alembic import op

from libs.db.types import Json, Micros

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would show suppliers the sell side of what has a cost.
min_reader = "0023"


def upgrade() -> None:
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("costs", Json(), nullable=True))
    with op.batch_alter_table("supplier_orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cost", Micros(), nullable=True))
    with op.batch_alter_table("supplier_order_lines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unit_cost", Micros(), nullable=True))


def downgrade() -> None:
    for table, column in (("supplier_order_lines", "unit_cost"), ("supplier_orders", "cost"), ("reservations", "costs")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
