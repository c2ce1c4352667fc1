"""promotions, and who may use them"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
min_reader = "0013"
ACTIVE_CODE = sa.text("active AND code <> ''")


def upgrade() -> None:
    op.create_table(
        "promotions",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("supplier_id", sa.String(length=100), nullable=False),
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("fine_print", sa.String(length=2000), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("start_time", libs.db.types.UtcTime(), nullable=True),
        sa.Column("end_time", libs.db.types.UtcTime(), nullable=True),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("eligible_expression", sa.String(length=400), nullable=False),
        sa.Column("value_expression", sa.String(length=400), nullable=False),
        sa.Column("can_combine", sa.Boolean(), nullable=False),
        sa.Column("auto_apply", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=True),
        sa.Column("redemption_limit", sa.BigInteger(), nullable=True),
        sa.Column("redemption_limit_per_user", sa.BigInteger(), nullable=True),
        sa.Column("quantity_limit_per_order", sa.BigInteger(), nullable=True),
        sa.Column("item_limit_per_order", sa.BigInteger(), nullable=True),
        sa.Column("item_order", sa.String(length=40), nullable=False),
        sa.Column("all_buyers", sa.Boolean(), nullable=False),
        sa.Column("api_client_ids", libs.db.types.Json(), nullable=False),
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    op.create_index(op.f("ix_promotions_create_time"), "promotions", ["create_time"])
    op.create_index(op.f("ix_promotions_supplier_id"), "promotions", ["supplier_id"])
    op.create_index(
        "ix_promotions_code",
        "promotions",
        ["code", "supplier_id"],
        unique=True,
        sqlite_where=ACTIVE_CODE,
        postgresql_where=ACTIVE_CODE,
    )
    op.create_table(
        "promotion_assignments",
        sa.Column("promotion_id", sa.String(length=100), nullable=False),
        sa.Column("buyer_id", sa.String(length=100), nullable=False),
        sa.Column("user_group_id", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotions.id"], name=op.f("fk_promotion_assignments_promotion_id_promotions")
        ),
        sa.PrimaryKeyConstraint("promotion_id", "buyer_id", "user_group_id", name=op.f("pk_promotion_assignments")),
    )
    op.create_index("ix_promotion_assignments_buyer_id", "promotion_assignments", ["buyer_id", "user_group_id"])


def downgrade() -> None:
    op.drop_table("promotion_assignments")
    op.drop_table("promotions")
