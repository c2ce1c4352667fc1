"""What the buyer says of a line: for the lines of supplier orders."""

import sqlalchemy as sa
from alembic import op

from libs.db.types import UtcTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0015"


def upgrade() -> None:
    with op.batch_alter_table("supplier_order_lines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cost_center", sa.String(100), server_default="", nullable=False))
        batch_op.add_column(sa.Column("shipping_account", sa.String(100), server_default="", nullable=False))
        batch_op.add_column(sa.Column("comments", sa.String(2_000), server_default="", nullable=False))
        batch_op.add_column(sa.Column("date_needed", UtcTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("supplier_order_lines", schema=None) as batch_op:
        for name in ("date_needed", "comments", "shipping_account", "cost_center"):
            batch_op.drop_column(name)
