"""What catalogs, categories and products are, between their messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.errors import Violations
from libs.resource.contract import Attribute, Shape, Storage, decimal, flag, integer, ref, refs, text, xp
from services.catalog.domain.catalogs.assignment import MAX_ORDER
from services.catalog.domain.products import facets, product
from waybill.catalog.v1 import catalog_pb2, category_pb2, product_facet_pb2, product_pb2


def _true_unless_said(name: str) -> Attribute:
    """A flag that is true unless it is said otherwise."""

    def read(found: Violations, where: str, message: product_pb2.Product, _: dict[str, Any]) -> bool:
        return bool(getattr(message, name)) if message.HasField(name) else True  # type: ignore[arg-type]

    return Attribute(name, Storage.TRUTH, read, lambda row: row[name], "bool", nullable=False)


_ATTRIBUTES = (
    text("name", 100, required=True),
    text("description", 2_000),
    flag("active"),
    ref("default_supplier_id"),
    refs("supplier_ids", product.MAX_SUPPLIERS),
    ref("ship_from_address_id", index=False),
    flag("shippable"),
    flag("track_inventory"),
    text("tax_class", 100, default="standard"),
    integer("quantity_multiplier", 1, 1_000_000, default=1),
    decimal("weight_kg"),
    decimal("length_cm"),
    decimal("width_cm"),
    decimal("height_cm"),
    xp(),
    ref("owner_supplier_id"),
    _true_unless_said("returnable"),
    flag("variant_stock"),
    _true_unless_said("auto_forward"),
)


def _check(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    product.check(found, where, row["default_supplier_id"], row["supplier_ids"], row["owner_supplier_id"])


PRODUCT = Shape("product", product_pb2.Product, _ATTRIBUTES, prefix="prd", check=_check)
UNSET: Mapping[str, Any] = PRODUCT.read(Violations(), "", product_pb2.Product())
"""What a product has where nobody sets anything."""

_CATALOG = (
    text("name", 100, required=True),
    text("description", 2_000),
    flag("active"),
    flag("open_to_all_buyers"),
    flag("takes_new_products"),
    xp(),
)
CATALOG = Shape("catalog", catalog_pb2.Catalog, _CATALOG, prefix="cat")
_CATEGORY = (
    ref("catalog_id", required=True, immutable=True),
    ref("parent_id"),
    text("name", 100, required=True),
    text("description", 2_000),
    flag("active"),
    integer("list_order", 0, MAX_ORDER),
    xp(),
)
CATEGORY = Shape("category", category_pb2.Category, _CATEGORY, prefix="ctg")


_FACET = (
    text("name", 100, required=True),
    text("xp_path", facets.LONGEST_PATH, required=True),
    integer("list_order", 0, MAX_ORDER),
    integer("min_count", 1, 1_000_000, default=1),
    xp(),
)


def _check_facet(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    facets.check_path(found, f"{where}.xp_path", row["xp_path"])


PRODUCT_FACET = Shape(
    "product facet",
    product_facet_pb2.ProductFacet,
    _FACET,
    prefix="fct",
    check=_check_facet,
    # A row that is being written has no such column yet.
    extra=lambda row: {"ready": row.get("collected", False)},
)
