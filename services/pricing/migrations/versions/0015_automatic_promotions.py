"""promotions that nobody has to enter are found by an index"""

from alembic import op
import sqlalchemy as sa

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0013"
AUTOMATIC = sa.text("active AND auto_apply")


def upgrade() -> None:
    op.create_index(
        "ix_promotions_automatic", "promotions", ["priority", "id"], sqlite_where=AUTOMATIC, postgresql_where=AUTOMATIC
    )


def downgrade() -> None:
    op.drop_index("ix_promotions_automatic", "promotions")
