"""whether payment has still something of a deleted order"""

from alembic import op
import sqlalchemy as sa

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0017"

LEFT = sa.text("payments_left")


def upgrade() -> None:
    # Of orders that were deleted before it is not known, so payment is asked once more.
    with op.batch_alter_table("deleted_orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("payments_left", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_index(
        "ix_deleted_orders_left", "deleted_orders", ["delete_time", "key"], sqlite_where=LEFT, postgresql_where=LEFT
    )


def downgrade() -> None:
    op.drop_index("ix_deleted_orders_left", "deleted_orders")
    with op.batch_alter_table("deleted_orders", schema=None) as batch_op:
        batch_op.drop_column("payments_left")
