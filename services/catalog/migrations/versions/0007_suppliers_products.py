"""products of suppliers: owners, permissions, proposals"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would delete products and catalogs without what is proposed of them, and would fail at it.
min_reader = "0007"


def upgrade() -> None:
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_supplier_id", sa.String(length=100), server_default="", nullable=False))
        batch_op.create_index(batch_op.f("ix_products_owner_supplier_id"), ["owner_supplier_id"], unique=False)
    op.create_table(
        "supplier_permissions",
        sa.Column("supplier_id", sa.String(length=100), nullable=False),
        sa.Column("catalog_id", sa.String(length=100), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("writable_fields", libs.db.types.Json(), nullable=False),
        sa.ForeignKeyConstraint(["catalog_id"], ["catalogs.id"], name=op.f("fk_supplier_permissions_catalog_id_catalogs")),
        sa.PrimaryKeyConstraint("supplier_id", "catalog_id", name=op.f("pk_supplier_permissions")),
    )
    op.create_index("ix_supplier_permissions_catalog_id", "supplier_permissions", ["catalog_id"])
    op.create_table(
        "product_proposals",
        sa.Column("catalog_id", sa.String(length=100), nullable=False),
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["catalog_id"], ["catalogs.id"], name=op.f("fk_product_proposals_catalog_id_catalogs")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_proposals_product_id_products")),
        sa.PrimaryKeyConstraint("catalog_id", "product_id", name=op.f("pk_product_proposals")),
    )
    op.create_index("ix_product_proposals_product_id", "product_proposals", ["product_id"])


def downgrade() -> None:
    op.drop_table("product_proposals")
    op.drop_table("supplier_permissions")
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_products_owner_supplier_id"))
        batch_op.drop_column("owner_supplier_id")
