"""Tax that prices include: for the lines of supplier orders."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would divide a line without its included tax.
min_reader = "0021"


def upgrade() -> None:
    with op.batch_alter_table("supplier_order_lines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("included_tax", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("supplier_order_lines", schema=None) as batch_op:
        batch_op.drop_column("included_tax")
