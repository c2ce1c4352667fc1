"""price schedules of suppliers, and floors below them"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would sell below the floors.
min_reader = "0010"


def upgrade() -> None:
    with op.batch_alter_table("price_schedules", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_supplier_id", sa.String(length=100), server_default="", nullable=False))
        batch_op.create_index(batch_op.f("ix_price_schedules_owner_supplier_id"), ["owner_supplier_id"], unique=False)
    op.create_index("ix_price_assignments_price_schedule_id", "price_assignments", ["price_schedule_id", "product_id"])
    op.create_table(
        "price_floors",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit_price", libs.db.types.Micros(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_floors")),
    )
    op.create_index(op.f("ix_price_floors_create_time"), "price_floors", ["create_time"])
    op.create_index("ix_price_floors_product_id", "price_floors", ["product_id", "currency"], unique=True)


def downgrade() -> None:
    op.drop_table("price_floors")
    op.drop_index("ix_price_assignments_price_schedule_id", "price_assignments")
    with op.batch_alter_table("price_schedules", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_price_schedules_owner_supplier_id"))
        batch_op.drop_column("owner_supplier_id")
