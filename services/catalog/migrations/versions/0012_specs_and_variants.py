"""specs of products, and the variants that they make"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would fail to delete products that have specs or variants.
min_reader = "0012"


def upgrade() -> None:
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.add_column(sa.Column("returnable", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("variant_stock", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "specs",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("open_text", sa.Boolean(), nullable=False),
        sa.Column("defines_variant", sa.Boolean(), nullable=False),
        sa.Column("default_option_id", sa.String(length=100), nullable=False),
        sa.Column("default_value", sa.String(length=2000), nullable=False),
        sa.Column("list_order", sa.BigInteger(), nullable=False),
        sa.Column("options", libs.db.types.Json(), nullable=True),
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("owner_supplier_id", sa.String(length=100), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specs")),
    )
    op.create_index("ix_specs_create_time", "specs", ["create_time"])
    op.create_index("ix_specs_owner_supplier_id", "specs", ["owner_supplier_id"])
    op.create_table(
        "product_specs",
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.Column("spec_id", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_specs_product_id_products")),
        sa.ForeignKeyConstraint(["spec_id"], ["specs.id"], name=op.f("fk_product_specs_spec_id_specs")),
        sa.PrimaryKeyConstraint("product_id", "spec_id", name=op.f("pk_product_specs")),
    )
    op.create_index("ix_product_specs_spec_id", "product_specs", ["spec_id", "product_id"])
    op.create_table(
        "variants",
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=True),
        sa.Column("weight_kg", sa.String(length=40), nullable=True),
        sa.Column("length_cm", sa.String(length=40), nullable=True),
        sa.Column("width_cm", sa.String(length=40), nullable=True),
        sa.Column("height_cm", sa.String(length=40), nullable=True),
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("combination", sa.String(length=1009), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_variants_product_id_products")),
        sa.PrimaryKeyConstraint("product_id", "id", name=op.f("pk_variants")),
        sa.UniqueConstraint("product_id", "combination", name=op.f("uq_variants_product_id_combination")),
    )


def downgrade() -> None:
    op.drop_table("variants")
    op.drop_table("product_specs")
    op.drop_table("specs")
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.drop_column("variant_stock")
        batch_op.drop_column("returnable")
