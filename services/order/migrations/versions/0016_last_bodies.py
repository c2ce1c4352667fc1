"""last bodies that are forgotten"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0012"

KEPT = sa.text("body IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("deleted_orders", schema=None) as batch_op:
        batch_op.alter_column("body", existing_type=libs.db.types.Json(), nullable=True)
    op.create_index(
        "ix_deleted_orders_bodies", "deleted_orders", ["delete_time", "key"], sqlite_where=KEPT, postgresql_where=KEPT
    )


def downgrade() -> None:
    op.drop_index("ix_deleted_orders_bodies", "deleted_orders")
    op.execute("UPDATE deleted_orders SET body = '{}' WHERE body IS NULL")
    with op.batch_alter_table("deleted_orders", schema=None) as batch_op:
        batch_op.alter_column("body", existing_type=libs.db.types.Json(), nullable=False)
