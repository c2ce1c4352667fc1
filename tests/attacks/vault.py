"""Products that one buyer is shown and others are not, with prices and stock; and those who want to know of them."""

from __future__ import annotations

from dataclasses import dataclass

from services.host.sample.marketplace import CURRENCY, PASSWORD, SHOP, party
from tests.attacks.target import EVERYTHING, Target
from tests.support.guests import guest
from waybill.catalog.v1 import catalog_pb2, category_pb2, product_assignment_pb2, product_facet_pb2, product_pb2
from waybill.catalog.v1 import catalog_service_pb2 as catalogs
from waybill.catalog.v1 import category_service_pb2 as categories
from waybill.catalog.v1 import my_product_service_pb2 as shops
from waybill.catalog.v1 import product_assignment_service_pb2 as placing
from waybill.catalog.v1 import product_facet_service_pb2 as facets
from waybill.catalog.v1 import product_service_pb2 as products
from waybill.directory.v1 import user_service_pb2
from waybill.fulfillment.v1 import inventory_pb2
from waybill.fulfillment.v1 import inventory_service_pb2 as inventory
from waybill.pricing.v1 import price_schedule_service_pb2 as prices
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, money

HIDDEN, INACTIVE, NOTHING = "ingot", "ingot-old", "ingot-none"
"""One that Globex is shown, one that is not active any more, and one that there is not."""
VAULT, SHELF = "vault", "vault-shelf"
"""Their catalog, and its category."""
METAL = "vault-metal"
PLACE = Address(lines=["1 Vault St"], city="Reno", region="NV", postal_code="89501", country="US")


@dataclass(frozen=True, slots=True)
class Thief:
    """Somebody who is shown none of it."""

    name: str
    client: AsyncWaybill


async def filled(target: Target) -> list[Thief]:
    """A user of Acme with every role, and a guest."""
    market = target.callers.market
    owner = market.people.owner
    await _facet(target)
    await _products(owner)
    await _placed(owner)
    await _priced_and_stocked(owner)
    # Globex sees all of it, so there is something to find.
    seen = (await market.people.gil.my_products.GetMyProduct(shops.GetMyProductRequest(product_id=HIDDEN))).product
    assert (seen.price.unit_price, seen.availability.available) == (money("777.00", CURRENCY), 77)
    spy = user_service_pb2.User(
        id="spy", username="spy", party=party("BUYER", "acme"), active=True, password=PASSWORD, roles=sorted(EVERYTHING)
    )
    await owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=spy))
    await target.callers.guest()
    return [
        Thief("a buyer", await AsyncWaybill.connect(market.address, SHOP, username="spy", password=PASSWORD)),
        Thief("a guest", await guest(market)),
    ]


async def _facet(target: Target) -> None:
    """What products are counted and narrowed by: their metal, which only ingots have."""
    owner = target.callers.market.people.owner
    metal = product_facet_pb2.ProductFacet(id=METAL, name="Metal", xp_path="metal")
    await owner.product_facets.CreateProductFacet(facets.CreateProductFacetRequest(product_facet=metal))
    for loop in target.callers.market.host.apps["catalog"].background:
        if "facet" in loop.name:
            await loop.once()
    made = await owner.product_facets.GetProductFacet(facets.GetProductFacetRequest(product_facet_id=METAL))
    assert made.product_facet.ready


async def _products(owner: AsyncWaybill) -> None:
    made = catalog_pb2.Catalog(id=VAULT, name="Vault", active=True)
    await owner.catalogs.CreateCatalog(catalogs.CreateCatalogRequest(catalog=made))
    shelf = category_pb2.Category(id=SHELF, catalog_id=VAULT, name="Secret shelf", active=True)
    await owner.categories.CreateCategory(categories.CreateCategoryRequest(category=shelf))
    goods = [
        product_pb2.Product(
            id=id, name="Secret ingot", active=id == HIDDEN, track_inventory=True, default_supplier_id="northforge"
        )
        for id in (HIDDEN, INACTIVE)
    ]
    for product in goods:
        product.xp.update({"metal": "gold"})
    await owner.products.BatchCreateProducts(products.BatchCreateProductsRequest(products=goods))


async def _placed(owner: AsyncWaybill) -> None:
    """New products stand in the catalog that is open to all; of these the inactive one stays there."""
    gone = [product_assignment_pb2.CatalogProduct(catalog_id="main", product_id=HIDDEN)]
    await owner.product_assignments.UnassignCatalogProducts(placing.UnassignCatalogProductsRequest(assignments=gone))
    stands = [product_assignment_pb2.CatalogProduct(catalog_id=VAULT, product_id=HIDDEN)]
    await owner.product_assignments.AssignCatalogProducts(placing.AssignCatalogProductsRequest(assignments=stands))
    shelved = [product_assignment_pb2.CategoryProduct(category_id=SHELF, product_id=HIDDEN)]
    await owner.product_assignments.AssignCategoryProducts(placing.AssignCategoryProductsRequest(assignments=shelved))
    given = [catalog_pb2.CatalogAssignment(catalog_id=VAULT, buyer_id="globex", view_all_categories=True, view_all_products=True)]
    await owner.catalogs.AssignCatalogs(catalogs.AssignCatalogsRequest(assignments=given))


async def _priced_and_stocked(owner: AsyncWaybill) -> None:
    schedule = prices.PriceSchedule(id="price-ingot", name="Ingot", currency=CURRENCY)
    schedule.price_breaks.add(quantity=1, price=money("777.00", CURRENCY))
    await owner.price_schedules.CreatePriceSchedule(prices.CreatePriceScheduleRequest(price_schedule=schedule))
    priced = [prices.PriceAssignment(product_id=id, price_schedule_id="price-ingot") for id in (HIDDEN, INACTIVE)]
    await owner.price_schedules.AssignPriceSchedules(prices.AssignPriceSchedulesRequest(assignments=priced))
    records = [
        inventory.NewInventoryRecord(
            inventory_record=inventory_pb2.InventoryRecord(
                id=f"{id}-stock", product_id=id, supplier_id="northforge", location_id="dock-ingot", address=PLACE, pickup=True
            ),
            opening_quantity=77,
        )
        for id in (HIDDEN, INACTIVE)
    ]
    await owner.inventory.BatchCreateInventoryRecords(inventory.BatchCreateInventoryRecordsRequest(inventory_records=records))
