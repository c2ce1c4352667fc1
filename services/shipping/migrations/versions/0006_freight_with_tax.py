"""rate tables whose prices include their tax"""

from alembic import op
import sqlalchemy as sa

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would take tax on top of freight that includes it.
min_reader = "0006"


def upgrade() -> None:
    with op.batch_alter_table("rate_tables", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tax_included", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("rate_tables", schema=None) as batch_op:
        batch_op.drop_column("tax_included")
