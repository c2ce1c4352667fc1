"""taxes that buyers need not pay"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0018"


def upgrade() -> None:
    with op.batch_alter_table("buyers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tax_exemptions", libs.db.types.Json(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("buyers", schema=None) as batch_op:
        batch_op.drop_column("tax_exemptions")
