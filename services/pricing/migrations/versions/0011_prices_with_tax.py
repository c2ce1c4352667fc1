"""price schedules whose prices include their tax"""

from alembic import op
import sqlalchemy as sa

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would take tax on top of prices that include it.
min_reader = "0011"


def upgrade() -> None:
    with op.batch_alter_table("price_schedules", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tax_included", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("price_schedules", schema=None) as batch_op:
        batch_op.drop_column("tax_included")
