"""A catalog of the sample that is not for everyone; the catalog that every marketplace has shows all products already."""

from __future__ import annotations

from waybill.catalog.v1 import (
    catalog_pb2,
    catalog_service_pb2,
    category_pb2,
    category_service_pb2,
    product_assignment_pb2,
    product_assignment_service_pb2,
)
from waybill_client import AsyncWaybill

TRADE = "trade"
FORGE, HAND_TOOLS = "forge", "hand-tools"


async def set_up_catalogs(owner: AsyncWaybill) -> None:
    """The trade catalog: Acme sees its forge, and those who purchase there its hand tools and the lamp."""
    trade = catalog_pb2.Catalog(id=TRADE, name="Trade", active=True)
    await owner.catalogs.CreateCatalog(catalog_service_pb2.CreateCatalogRequest(catalog=trade))
    categories = [
        category_pb2.Category(id=FORGE, catalog_id=TRADE, name="Forge", active=True),
        category_pb2.Category(id=HAND_TOOLS, catalog_id=TRADE, parent_id=FORGE, name="Hand tools", active=True, list_order=1),
    ]
    await owner.categories.BatchCreateCategories(category_service_pb2.BatchCreateCategoriesRequest(categories=categories))
    given = catalog_pb2.CatalogAssignment(catalog_id=TRADE, buyer_id="acme")
    await owner.catalogs.AssignCatalogs(catalog_service_pb2.AssignCatalogsRequest(assignments=[given]))
    seen = [
        category_pb2.CategoryAssignment(category_id=FORGE, buyer_id="acme", visible=True, view_all_products=True),
        category_pb2.CategoryAssignment(category_id=HAND_TOOLS, buyer_id="acme"),
        category_pb2.CategoryAssignment(
            category_id=HAND_TOOLS, buyer_id="acme", user_group_id="purchasing", visible=True, view_all_products=True
        ),
    ]
    await owner.categories.AssignCategories(category_service_pb2.AssignCategoriesRequest(assignments=seen))
    await _products(owner)


async def _products(owner: AsyncWaybill) -> None:
    made = product_assignment_service_pb2
    standing = [product_assignment_pb2.CatalogProduct(catalog_id=TRADE, product_id=id) for id in ("anvil", "lamp", "tongs")]
    await owner.product_assignments.AssignCatalogProducts(made.AssignCatalogProductsRequest(assignments=standing))
    within = [
        product_assignment_pb2.CategoryProduct(category_id=FORGE, product_id="anvil"),
        product_assignment_pb2.CategoryProduct(category_id=HAND_TOOLS, product_id="tongs"),
    ]
    await owner.product_assignments.AssignCategoryProducts(made.AssignCategoryProductsRequest(assignments=within))
    shown = product_assignment_pb2.ProductAssignment(product_id="lamp", buyer_id="acme", user_group_id="purchasing")
    await owner.product_assignments.AssignProducts(made.AssignProductsRequest(assignments=[shown]))
