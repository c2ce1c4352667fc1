"""catalogs, categories, and who is shown which products"""

from datetime import UTC, datetime

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
# The newest revision of the oldest build that works on these tables. A change that only adds names an earlier one.
# An older build would create products that stand in no catalog, which no buyer would see.
min_reader = "0006"


def _resource(name, *columns):
    op.create_table(
        name,
        sa.Column("id", sa.String(length=100), nullable=False),
        *columns,
        sa.Column("xp", libs.db.types.Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("create_time", libs.db.types.UtcTime(), nullable=False),
        sa.Column("update_time", libs.db.types.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )


def _assignments(name, lead, ids, *more):
    """`lead` has the table that each id of this service leads to."""
    op.create_table(
        name,
        *(sa.Column(id, sa.String(length=100), nullable=False) for id in ids),
        *more,
        *(
            sa.ForeignKeyConstraint([id], [f"{table}.id"], name=op.f(f"fk_{name}_{id}_{table}"))
            for id, table in lead.items()
        ),
        sa.PrimaryKeyConstraint(*ids, name=op.f(f"pk_{name}")),
    )


def _flag(name):
    return sa.Column(name, sa.Boolean(), nullable=False)


def upgrade() -> None:
    _resource(
        "catalogs",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        _flag("active"),
        _flag("open_to_all_buyers"),
        _flag("takes_new_products"),
    )
    op.create_index("ix_catalogs_create_time", "catalogs", ["create_time"])
    _resource(
        "categories",
        sa.Column("catalog_id", sa.String(length=100), nullable=False),
        sa.Column("parent_id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        _flag("active"),
        sa.Column("list_order", sa.BigInteger(), nullable=False),
    )
    for column in ("catalog_id", "parent_id", "create_time"):
        op.create_index(f"ix_categories_{column}", "categories", [column])
    _assignments(
        "catalog_assignments",
        {"catalog_id": "catalogs"},
        ["catalog_id", "buyer_id"],
        _flag("view_all_categories"),
        _flag("view_all_products"),
    )
    op.create_index("ix_catalog_assignments_buyer_id", "catalog_assignments", ["buyer_id", "catalog_id"])
    _assignments(
        "category_assignments",
        {"category_id": "categories"},
        ["category_id", "buyer_id", "user_group_id"],
        _flag("visible"),
        _flag("view_all_products"),
    )
    op.create_index(
        "ix_category_assignments_buyer_id", "category_assignments", ["buyer_id", "user_group_id", "category_id"]
    )
    _assignments("product_assignments", {"product_id": "products"}, ["product_id", "buyer_id", "user_group_id"])
    op.create_index("ix_product_assignments_buyer_id", "product_assignments", ["buyer_id", "user_group_id", "product_id"])
    _assignments(
        "catalog_products", {"catalog_id": "catalogs", "product_id": "products"}, ["catalog_id", "product_id"]
    )
    op.create_index("ix_catalog_products_product_id", "catalog_products", ["product_id", "catalog_id"])
    _assignments(
        "category_products",
        {"category_id": "categories", "product_id": "products"},
        ["category_id", "product_id"],
        sa.Column("list_order", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_category_products_product_id", "category_products", ["product_id", "category_id"])
    _open_to_all()


def _open_to_all() -> None:
    """What could be ordered before can be ordered now: one catalog has every product, and is open to every buyer."""
    now = datetime.now(UTC)
    catalogs = sa.table(
        "catalogs",
        *(sa.column(name, sa.String) for name in ("id", "name", "description")),
        *(sa.column(name, sa.Boolean) for name in ("active", "open_to_all_buyers", "takes_new_products")),
        sa.column("xp", libs.db.types.Json),
        sa.column("version", sa.BigInteger),
        *(sa.column(name, libs.db.types.UtcTime) for name in ("create_time", "update_time")),
    )
    main = {
        "id": "main",
        "name": "Main",
        "description": "",
        "active": True,
        "open_to_all_buyers": True,
        "takes_new_products": True,
        "xp": {},
        "version": 1,
        "create_time": now,
        "update_time": now,
    }
    op.bulk_insert(catalogs, [main])
    op.execute("INSERT INTO catalog_products (catalog_id, product_id) SELECT 'main', id FROM products")


def downgrade() -> None:
    for name in (
        "category_products",
        "catalog_products",
        "product_assignments",
        "category_assignments",
        "catalog_assignments",
        "categories",
        "catalogs",
    ):
        op.drop_table(name)
