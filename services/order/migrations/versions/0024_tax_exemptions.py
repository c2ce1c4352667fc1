"""taxes that the buyer of an order need not pay"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build could not read how the price of an exempt buyer came about.
min_reader = "0024"


def upgrade() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tax_exemptions", libs.db.types.Json(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_column("tax_exemptions")
