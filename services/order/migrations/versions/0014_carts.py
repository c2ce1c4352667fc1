"""carts"""

from alembic import op
import sqlalchemy as sa

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0012"


def upgrade() -> None:
    op.create_table(
        "carts",
        sa.Column("buyer_id", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("order_key", sa.Uuid(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["order_key"], ["orders.key"], name=op.f("fk_carts_order_key_orders"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("buyer_id", "user_id", name=op.f("pk_carts")),
        sa.UniqueConstraint("order_key", name=op.f("uq_carts_order_key")),
    )
    op.create_index(
        "ix_orders_carts",
        "orders",
        ["user_id", "buyer_id", "create_time", "key"],
        sqlite_where=sa.text("status = 'UNSUBMITTED' AND guest = 0"),
        postgresql_where=sa.text("status = 'UNSUBMITTED' AND NOT guest"),
    )


def downgrade() -> None:
    op.drop_index("ix_orders_carts", "orders")
    op.drop_table("carts")
