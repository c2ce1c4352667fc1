"""What a page of a shop costs with a hundred times as many products behind it, and against its bare statement."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from libs.query.request import PageRequest
from services.catalog.adapters.db.catalogs.sight_store import SqlSightStore
from services.catalog.adapters.db.shop.shop_store import SqlShop
from services.catalog.adapters.db.tables import CATALOG_PRODUCTS, PRODUCTS
from services.catalog.domain.catalogs.visibility import sight_of
from services.catalog.domain.shop.shop import Wanted
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import set_up
from services.host.sample.parties import People, sign_in
from tests.support.sealing import sealing_key_for
from waybill.catalog.v1 import (
    category_pb2,
    category_service_pb2,
    my_product_pb2,
    product_assignment_pb2,
    product_facet_pb2,
    product_facet_service_pb2,
    product_pb2,
    product_service_pb2,
)
from waybill.catalog.v1 import my_product_service_pb2 as pb
from waybill.catalog.v1 import product_assignment_service_pb2 as placing_pb
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.pricing.v1 import price_schedule_service_pb2 as prices_pb
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill

PAGE = 100
BATCH = 1_000
CATEGORIES = 1_000
ADDRESS = Address(lines=["1 Dock Rd"], city="Newark", region="NJ", postal_code="07101", country="US")
Work = Callable[[], Awaitable[object]]
COLORS = 50
LOOKS: dict[str, dict[str, Any]] = {
    "everything": {},
    "a category": {"category_id": "k7"},
    "one product by a search": {"search": "p000777"},
    "a word of all": {"search": "thing"},
    "six of a catalog": {"catalog_id": "trade"},
    "everything, with two facets": {"include_facets": True},
    "one color of 50, with two facets": {
        "include_facets": True,
        "facet_filters": [my_product_pb2.FacetFilter(facet_id="color", values=["c7"])],
    },
    "a category, with two facets": {"category_id": "k7", "include_facets": True},
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a hundred at most, in milliseconds, at few products and at many."""

    layout: str
    look: str
    few: float
    many: float

    @property
    def ratio(self) -> float:
        """How much more it takes with many."""
        return self.many / self.few


async def measure(layout: str, url: str, few: int, many: int, rounds: int) -> tuple[list[Page], float]:
    """The pages, and how many times its bare statement the SQL of a page takes with many."""
    with tempfile.TemporaryDirectory() as folder:
        settings = HostSettings(data=Path(folder), database_url=url, sealing_key=sealing_key_for(url), background=False)
        async with running(settings) as host:
            assert host.secret is not None
            owner = await AsyncWaybill.connect(host.address, host.secret.client_id, host.secret.client_secret)
            await set_up(owner)
            people = await sign_in(host.address, owner)
            await _shelves(owner)
            await _fill(owner, 0, few)
            first = await _looks(people, rounds)
            await _fill(owner, few, many)
            second = await _looks(people, rounds)
            share = await _of_bare(url or f"sqlite:///{folder}/catalog.sqlite3", rounds)
            await people.close()
    return [Page(layout, look, first[look], second[look]) for look in LOOKS], share


async def _shelves(owner: AsyncWaybill) -> None:
    made = [category_pb2.Category(id=f"k{i}", catalog_id="main", name=f"Shelf {i}", active=True) for i in range(CATEGORIES)]
    await owner.categories.BatchCreateCategories(category_service_pb2.BatchCreateCategoriesRequest(categories=made))
    step = prices_pb.PriceBreak(quantity=1)
    step.price.currency_code, step.price.units = "USD", 5
    schedule = prices_pb.PriceSchedule(id="five", name="Five", currency="USD", price_breaks=[step])
    await owner.price_schedules.CreatePriceSchedule(prices_pb.CreatePriceScheduleRequest(price_schedule=schedule))
    for id in ("color", "size"):
        facet = product_facet_pb2.ProductFacet(id=id, name=id, xp_path=f"look.{id}")
        await owner.product_facets.CreateProductFacet(product_facet_service_pb2.CreateProductFacetRequest(product_facet=facet))


async def _fill(owner: AsyncWaybill, first: int, end: int) -> None:
    """Products with a price and stock, a hundred on a shelf, so that a shelf and a word show as much of few as of many."""
    for start in range(first, end, BATCH):
        ids = {f"p{i:06}": f"k{i // PAGE % CATEGORIES}" for i in range(start, min(start + BATCH, end))}
        made = [product_pb2.Product(id=id, name=f"Thing {id}", active=True, track_inventory=True) for id in ids]
        for i, product in enumerate(made, start):
            product.xp.update({"look": {"color": f"c{i % COLORS}", "size": i % 5}})
        await owner.products.BatchCreateProducts(product_service_pb2.BatchCreateProductsRequest(products=made))
        priced = [prices_pb.PriceAssignment(product_id=id, price_schedule_id="five") for id in ids]
        await owner.price_schedules.AssignPriceSchedules(prices_pb.AssignPriceSchedulesRequest(assignments=priced))
        placed = [product_assignment_pb2.CategoryProduct(category_id=shelf, product_id=id) for id, shelf in ids.items()]
        await owner.product_assignments.AssignCategoryProducts(placing_pb.AssignCategoryProductsRequest(assignments=placed))
        stock = [
            inventory_service_pb2.NewInventoryRecord(
                inventory_record=inventory_pb2.InventoryRecord(product_id=id, location_id="dock", address=ADDRESS),
                opening_quantity=9,
            )
            for id in ids
        ]
        request = inventory_service_pb2.BatchCreateInventoryRecordsRequest(inventory_records=stock)
        await owner.inventory.BatchCreateInventoryRecords(request)


async def _median(work: Work, rounds: int) -> float:
    taken: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        taken.append((time.perf_counter() - began) * 1_000)
    return statistics.median(taken)


async def _looks(people: People, rounds: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for look, asked in LOOKS.items():
        request = pb.ListMyProductsRequest(page_size=PAGE, **asked)

        async def work(request: pb.ListMyProductsRequest = request) -> object:
            return await people.ada.my_products.ListMyProducts(request)

        await work()
        found[look] = await _median(work, rounds)
    return found


async def _of_bare(url: str, rounds: int) -> float:
    """The statements of a page against the least one that reads the same rows."""
    database = await Database.open(url, "waybill_catalog" if url.startswith("postgresql") else None)
    c, stands = PRODUCTS.c, CATALOG_PRODUCTS.c
    bare = sa.select(PRODUCTS).where(c.active, sa.exists().where(stands.product_id == c.id, stands.catalog_id == "main"))
    bare = bare.order_by(c.create_time.desc(), c.id.desc()).limit(PAGE + 1)
    request = PageRequest(page_size=PAGE)
    unused: Any = None
    store = SqlShop(database, unused)

    async def alone() -> object:
        async with database.reading() as tx:
            return (await tx.execute(bare)).all()

    async def whole() -> object:
        async with database.reading() as tx:
            sights = SqlSightStore(tx)
            sight = sight_of(
                "acme", (), await sights.reaches("acme"), await sights.nodes(["trade"]), await sights.grants("acme", ())
            )
        return await store.rows(sight, Wanted(), request, {})

    await alone()
    await whole()
    found = await _median(whole, rounds) / await _median(alone, rounds)
    await database.close()
    return found
