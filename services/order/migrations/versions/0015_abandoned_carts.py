"""orders that nobody has touched for long"""

from alembic import op
import sqlalchemy as sa

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0012"

LEFT = sa.text("status = 'UNSUBMITTED' AND line_item_count > 0")
EMPTY = sa.text("status = 'UNSUBMITTED' AND line_item_count = 0")


def upgrade() -> None:
    columns = ["guest", "update_time", "key"]
    op.create_index("ix_orders_left", "orders", columns, sqlite_where=LEFT, postgresql_where=LEFT)
    op.create_index("ix_orders_empty", "orders", columns[1:], sqlite_where=EMPTY, postgresql_where=EMPTY)


def downgrade() -> None:
    op.drop_index("ix_orders_empty", "orders")
    op.drop_index("ix_orders_left", "orders")
