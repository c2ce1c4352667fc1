"""what suppliers are paid"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would submit orders without the costs of their suppliers.
min_reader = "0012"


def upgrade() -> None:
    op.create_table(
        "cost_schedules",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("supplier_id", sa.String(length=100), nullable=False),
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("price_breaks", libs.db.types.Json(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sale_start_time", libs.db.types.UtcTime(), nullable=True),
        sa.Column("sale_end_time", libs.db.types.UtcTime(), nullable=True),
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_schedules")),
    )
    op.create_index(op.f("ix_cost_schedules_create_time"), "cost_schedules", ["create_time"])
    op.create_index(op.f("ix_cost_schedules_supplier_id"), "cost_schedules", ["supplier_id"])
    op.create_index("ix_cost_schedules_product_id", "cost_schedules", ["product_id", "supplier_id", "currency"], unique=True)


def downgrade() -> None:
    op.drop_table("cost_schedules")
