"""statuses of the marketplace's own for buyer orders"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would keep the sub-status of an order whose status changes.
min_reader = "0029"


def upgrade() -> None:
    op.create_table(
        "order_sub_statuses",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2_000), nullable=False),
        sa.Column("follows", libs.db.types.Json(), nullable=False),
        sa.Column("follows_none", sa.Boolean(), nullable=False),
        sa.Column("roles", libs.db.types.Json(), nullable=False),
        sa.Column("parties", libs.db.types.Json(), nullable=False),
        sa.Column("initial", sa.Boolean(), nullable=False),
        sa.Column("terminal", sa.Boolean(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_sub_statuses")),
    )
    op.create_index(op.f("ix_order_sub_statuses_create_time"), "order_sub_statuses", ["create_time"])
    op.create_index(
        "ix_order_sub_statuses_initial",
        "order_sub_statuses",
        ["status"],
        unique=True,
        sqlite_where=sa.text("initial = 1"),
        postgresql_where=sa.text("initial"),
    )
    op.add_column("orders", sa.Column("sub_status_time", libs.db.types.UtcTime(), nullable=True))
    op.create_index(
        "ix_orders_sub_status",
        "orders",
        ["sub_status"],
        sqlite_where=sa.text("sub_status <> ''"),
        postgresql_where=sa.text("sub_status <> ''"),
    )


def downgrade() -> None:
    op.drop_index("ix_orders_sub_status", "orders")
    op.drop_column("orders", "sub_status_time")
    op.drop_table("order_sub_statuses")
