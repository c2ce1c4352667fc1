"""What pricing and fulfillment are answered about suppliers and products."""

from __future__ import annotations

import pytest

from libs.errors import WaybillError
from tests.integration.catalog.world import MAIN, World
from tests.support.principals import supplier
from waybill.catalog.v1 import product_pb2
from waybill.catalog.v1 import product_service_pb2 as products_pb
from waybill.catalog.v1 import supplier_product_service_pb2 as pb
from waybill.catalog.v1 import supplier_product_service_pb2_grpc as pb_grpc


async def check(world: World, supplier_id: str, *ids: str) -> tuple[bool, list[str], list[str]]:
    """Whether it may set prices, what it owns, and what it may fulfill."""
    stub = world.served.service_stub(pb_grpc.SupplierProductServiceStub, "pricing", supplier("PriceScheduleAdmin"))
    answer = await stub.CheckSupplierProducts(pb.CheckSupplierProductsRequest(supplier_id=supplier_id, product_ids=ids))
    return answer.may_set_prices, sorted(answer.owned_product_ids), sorted(answer.fulfilled_product_ids)


async def test_a_supplier_sets_prices_when_all_its_permissions_let_it(world: World):
    await world.make_catalog("trade")
    assert await check(world, "bolt") == (False, [], [])
    await world.permit(MAIN, prices=True)
    assert await check(world, "bolt") == (True, [], [])
    await world.permit("trade")
    assert await check(world, "bolt") == (False, [], [])
    await world.permit("trade", prices=True, approval=True)
    assert (await check(world, "bolt"), await check(world, "nut")) == ((True, [], []), (False, [], []))


async def test_of_the_products_asked_about_those_that_it_owns_and_those_that_it_may_fulfill_are_named(world: World):
    made = [
        product_pb2.Product(id="own", name="a", owner_supplier_id="bolt", default_supplier_id="bolt"),
        product_pb2.Product(id="default", name="a", default_supplier_id="bolt"),
        product_pb2.Product(id="other", name="a", default_supplier_id="nut", supplier_ids=["gear", "bolt"]),
        product_pb2.Product(id="bolts", name="a", supplier_ids=["bolts"]),
        product_pb2.Product(id="sellers", name="a"),
    ]
    await world.products().BatchCreateProducts(products_pb.BatchCreateProductsRequest(products=made))
    asked = ["own", "default", "other", "bolts", "sellers", "own", "nothing", "no id"]
    assert await check(world, "bolt", *asked) == (False, ["own"], ["default", "other", "own"])
    assert await check(world, "nut", "own", "other") == (False, [], ["other"])


async def test_five_thousand_products_are_asked_about_at_once_and_no_more(world: World):
    ids = [f"p{i}" for i in range(5_001)]
    before = world.app.statements()
    assert await check(world, "bolt", *ids[:5_000]) == (False, [], [])
    assert world.app.statements() - before == 2
    with pytest.raises(WaybillError) as refused:
        await check(world, "bolt", *ids)
    assert [(f.field, f.reason) for f in refused.value.fields] == [("product_ids", "TOO_MANY_ITEMS")]
