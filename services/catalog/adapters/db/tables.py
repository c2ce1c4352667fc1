"""Tables of the catalog."""

from __future__ import annotations

import sqlalchemy as sa

from libs.audit.trail import audit_table
from libs.auth import PartyKind, Principal
from libs.db import Json, UtcTime, metadata
from libs.idempotency import outcomes, tombstones
from libs.relay.changes import change_tables
from libs.resource.database import Resource, UsedBy, resource_table
from services.catalog.contract import resources
from services.catalog.contract.specs import SPEC as SPEC_SHAPE
from services.catalog.contract.variants import VARIANT as VARIANT_SHAPE
from services.catalog.domain.catalogs import assignment
from services.catalog.domain.catalogs.assignment import Kind
from services.catalog.domain.choices.variants import LONGEST_COMBINATION, MAX_NAME
from services.catalog.domain.products.product import MEASURES

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
DELETED = tombstones.table(METADATA)
CHANGES = change_tables(METADATA)
AUDIT = audit_table(METADATA)

PRODUCTS = resource_table(METADATA, "products", resources.PRODUCT)
# Lists compare ids by their bytes, which the primary key does not unless it is SQLite's.
sa.Index("ix_products_id_bytes", sa.collate(PRODUCTS.c.id, "C")).ddl_if(dialect="postgresql")
CATALOGS = resource_table(METADATA, "catalogs", resources.CATALOG)
CATEGORIES = resource_table(METADATA, "categories", resources.CATEGORY)


def _id(name: str, of: sa.Table | None = None) -> sa.Column[str]:
    """A part of a key: the id of a row here, or of something elsewhere."""
    lead = () if of is None else (sa.ForeignKey(of.c.id),)
    return sa.Column(name, sa.String(100), *lead, primary_key=True)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


CATALOG_ASSIGNMENTS = sa.Table(
    "catalog_assignments",
    METADATA,
    _id("catalog_id", CATALOGS),
    _id("buyer_id"),
    _flag("view_all_categories"),
    _flag("view_all_products"),
    sa.Index("ix_catalog_assignments_buyer_id", "buyer_id", "catalog_id"),
)
CATEGORY_ASSIGNMENTS = sa.Table(
    "category_assignments",
    METADATA,
    _id("category_id", CATEGORIES),
    _id("buyer_id"),
    _id("user_group_id"),
    _flag("visible"),
    _flag("view_all_products"),
    sa.Index("ix_category_assignments_buyer_id", "buyer_id", "user_group_id", "category_id"),
)
PRODUCT_ASSIGNMENTS = sa.Table(
    "product_assignments",
    METADATA,
    _id("product_id", PRODUCTS),
    _id("buyer_id"),
    _id("user_group_id"),
    sa.Index("ix_product_assignments_buyer_id", "buyer_id", "user_group_id", "product_id"),
)
CATALOG_PRODUCTS = sa.Table(
    "catalog_products",
    METADATA,
    _id("catalog_id", CATALOGS),
    _id("product_id", PRODUCTS),
    sa.Index("ix_catalog_products_product_id", "product_id", "catalog_id"),
)
CATEGORY_PRODUCTS = sa.Table(
    "category_products",
    METADATA,
    _id("category_id", CATEGORIES),
    _id("product_id", PRODUCTS),
    sa.Column("list_order", sa.BigInteger, nullable=False),
    sa.Index("ix_category_products_product_id", "product_id", "category_id"),
)
SUPPLIER_PERMISSIONS = sa.Table(
    "supplier_permissions",
    METADATA,
    _id("supplier_id"),
    _id("catalog_id", CATALOGS),
    _flag("needs_approval"),
    sa.Column("writable_fields", Json(), nullable=False),
    _flag("may_set_prices"),
    sa.Index("ix_supplier_permissions_catalog_id", "catalog_id"),
)
PRODUCT_PROPOSALS = sa.Table(
    "product_proposals",
    METADATA,
    _id("catalog_id", CATALOGS),
    _id("product_id", PRODUCTS),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("comment", sa.String(2_000), nullable=False),
    sa.Index("ix_product_proposals_product_id", "product_id"),
)
PRODUCT_WORDS = sa.Table(
    "product_words",
    METADATA,
    sa.Column("word", sa.String(50).with_variant(sa.String(50, collation="C"), "postgresql"), primary_key=True),
    _id("product_id", PRODUCTS),
    sa.Index("ix_product_words_product_id", "product_id"),
)
"""By word the products that say it. Words compare by their bytes, so that those that begin alike stand together."""
PRODUCT_FACETS = resource_table(
    METADATA,
    "product_facets",
    resources.PRODUCT_FACET,
    sa.Column("collected", sa.Boolean, server_default=sa.false(), nullable=False),
    sa.Column("collected_to", sa.String(100), server_default="", nullable=False),
    sa.UniqueConstraint("xp_path"),
)
"""`collected`: the values of all products are kept. Until then those of products up to `collected_to`, by the bytes of their
ids, and of products that have been written since."""
PRODUCT_FACET_VALUES = sa.Table(
    "product_facet_values",
    METADATA,
    sa.Column("facet_id", sa.String(100), primary_key=True),
    sa.Column("value", sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql"), primary_key=True),
    _id("product_id", PRODUCTS),
    sa.Index("ix_product_facet_values_product_id", "product_id"),
)
"""By facet and value the products that have it. No foreign key leads to the facet: whoever writes a product would lock facets,
which those who change one have locked before."""
SPECS = resource_table(METADATA, "specs", SPEC_SHAPE)
PRODUCT_SPECS = sa.Table(
    "product_specs",
    METADATA,
    _id("product_id", PRODUCTS),
    _id("spec_id", SPECS),
    sa.Index("ix_product_specs_spec_id", "spec_id", "product_id"),
)
VARIANTS = sa.Table(
    "variants",
    METADATA,
    _id("product_id", PRODUCTS),
    _id("id"),
    sa.Column("name", sa.String(MAX_NAME), nullable=False),
    _flag("active"),
    sa.Column("description", sa.String(2_000)),
    *(sa.Column(name, sa.String(40)) for name in MEASURES),
    sa.Column("xp", Json(), nullable=False),
    sa.Column("combination", sa.String(LONGEST_COMBINATION), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
    sa.UniqueConstraint("product_id", "combination"),
)
"""`combination` has the options; each field that is null is the product's."""
ASSIGNMENTS: dict[Kind, sa.Table] = {
    assignment.CATALOG_BUYER: CATALOG_ASSIGNMENTS,
    assignment.CATEGORY_BUYER: CATEGORY_ASSIGNMENTS,
    assignment.PRODUCT_BUYER: PRODUCT_ASSIGNMENTS,
    assignment.CATALOG_PRODUCT: CATALOG_PRODUCTS,
    assignment.CATEGORY_PRODUCT: CATEGORY_PRODUCTS,
    assignment.SUPPLIER_PERMISSION: SUPPLIER_PERMISSIONS,
    assignment.PRODUCT_PROPOSAL: PRODUCT_PROPOSALS,
    assignment.PRODUCT_SPEC: PRODUCT_SPECS,
}
"""By kind, where they are kept."""


def supplied_by(supplier_id: str) -> sa.ColumnElement[bool]:
    """Products that a supplier may fulfill. An owner is the default supplier, too."""
    # Ids have no quotation marks, so one in the list stands there whole.
    others = sa.cast(PRODUCTS.c.supplier_ids, sa.Text).contains(f'"{supplier_id}"', autoescape=True)
    return sa.or_(PRODUCTS.c.default_supplier_id == supplier_id, others)


def visible(caller: Principal) -> sa.ColumnElement[bool] | None:
    """The seller, and a service whoever it calls for, see every product; suppliers those that they own or may fulfill.

    What a buyer's user sees depends on catalogs, too: see `visible.py`.
    """
    if caller.service is not None or caller.party_kind is PartyKind.SELLER:
        return None
    if caller.party_kind is PartyKind.SUPPLIER:
        return supplied_by(caller.party_id)
    return PRODUCTS.c.active


def writable(caller: Principal) -> sa.ColumnElement[bool] | None:
    """The seller changes every product, a supplier its own."""
    if caller.party_kind is PartyKind.SUPPLIER:
        return PRODUCTS.c.owner_supplier_id == caller.party_id
    return None if caller.party_kind is PartyKind.SELLER else sa.false()


def own_specs(caller: Principal) -> sa.ColumnElement[bool] | None:
    """The seller sees and changes every spec, a supplier its own."""
    if caller.party_kind is PartyKind.SUPPLIER:
        return SPECS.c.owner_supplier_id == caller.party_id
    return None if caller.party_kind is PartyKind.SELLER else sa.false()


PRODUCT = Resource(resources.PRODUCT, PRODUCTS, visible, writable)
CATALOG = Resource(
    resources.CATALOG,
    CATALOGS,
    uses=[
        UsedBy.column("category", CATEGORIES.c.id, CATEGORIES.c.catalog_id),
        UsedBy.column("product", CATALOG_PRODUCTS.c.product_id, CATALOG_PRODUCTS.c.catalog_id),
        UsedBy.column("product proposal", PRODUCT_PROPOSALS.c.product_id, PRODUCT_PROPOSALS.c.catalog_id),
        UsedBy.column("supplier", SUPPLIER_PERMISSIONS.c.supplier_id, SUPPLIER_PERMISSIONS.c.catalog_id),
        UsedBy.column("buyer", CATALOG_ASSIGNMENTS.c.buyer_id, CATALOG_ASSIGNMENTS.c.catalog_id),
    ],
)
CATEGORY = Resource(
    resources.CATEGORY,
    CATEGORIES,
    uses=[UsedBy.column("category", CATEGORIES.c.id, CATEGORIES.c.parent_id)],
    default_order="catalog_id, parent_id, list_order",
)
PRODUCT_FACET = Resource(resources.PRODUCT_FACET, PRODUCT_FACETS, default_order="list_order")
SPEC = Resource(
    SPEC_SHAPE,
    SPECS,
    own_specs,
    uses=[UsedBy.column("product", PRODUCT_SPECS.c.product_id, PRODUCT_SPECS.c.spec_id)],
    default_order="list_order",
)
VARIANT = Resource(VARIANT_SHAPE, VARIANTS, default_order="id")

MADE = {
    "CreateProduct": PRODUCTS,
    "BatchCreateProducts": PRODUCTS,
    "CreateCatalog": CATALOGS,
    "BatchCreateCatalogs": CATALOGS,
    "CreateCategory": CATEGORIES,
    "BatchCreateCategories": CATEGORIES,
    "CreateProductFacet": PRODUCT_FACETS,
    "CreateSpec": SPECS,
}
"""By the method that makes it: the table where the id in a recorded outcome leads, unless it was deleted."""
