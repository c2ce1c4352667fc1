"""facets: values of products' xp that a shop counts by"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would store products that no facet counts, and fail to delete those that one does.
min_reader = "0010"


def upgrade() -> None:
    op.create_table(
        "product_facets",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("xp_path", sa.String(length=200), nullable=False),
        sa.Column("list_order", sa.BigInteger(), nullable=False),
        sa.Column("min_count", sa.BigInteger(), nullable=False),
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("collected", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("collected_to", sa.String(length=100), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_facets")),
        sa.UniqueConstraint("xp_path", name=op.f("uq_product_facets_xp_path")),
    )
    op.create_index("ix_product_facets_create_time", "product_facets", ["create_time"])
    value = sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql")
    op.create_table(
        "product_facet_values",
        sa.Column("facet_id", sa.String(length=100), nullable=False),
        sa.Column("value", value, nullable=False),
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_facet_values_product_id_products")),
        sa.PrimaryKeyConstraint("facet_id", "value", "product_id", name=op.f("pk_product_facet_values")),
    )
    op.create_index("ix_product_facet_values_product_id", "product_facet_values", ["product_id"])


def downgrade() -> None:
    op.drop_table("product_facet_values")
    op.drop_table("product_facets")
