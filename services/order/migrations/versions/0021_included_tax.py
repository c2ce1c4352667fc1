"""tax that prices include"""

from alembic import op
import sqlalchemy as sa

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would take tax on top of prices that include it.
min_reader = "0021"


def upgrade() -> None:
    # What was stored before has tax on top alone.
    with op.batch_alter_table("orders", schema=None) as batch_op:
        for name in ("included_tax", "canceled_included_tax"):
            batch_op.add_column(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    with op.batch_alter_table("line_items", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tax_included", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("included_tax", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("line_items", schema=None) as batch_op:
        batch_op.drop_column("included_tax")
        batch_op.drop_column("tax_included")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        for name in ("canceled_included_tax", "included_tax"):
            batch_op.drop_column(name)
