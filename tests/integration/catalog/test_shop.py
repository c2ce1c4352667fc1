"""A shop: the same products as lists show, with prices and stock, at the same number of calls and statements."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.errors import WaybillError
from tests.integration.catalog.shops import found, shop
from tests.integration.catalog.world import MAIN, World, category
from tests.support.principals import buyer, seller, supplier
from waybill.catalog.v1 import my_product_service_pb2 as pb
from waybill.catalog.v1 import product_pb2
from waybill.catalog.v1 import product_service_pb2 as products_pb

ASKED = ("directory", "pricing", "fulfillment")


async def a_shop(world: World, size: int) -> None:
    """Two shelves of a closed catalog, of which Acme sees one whole and of the other single products."""
    await world.make_catalog("trade")
    off = category("off", "trade", "low", active=False)
    await world.make_categories(category("top", "trade"), category("low", "trade", "top"), category("side", "trade"), off)
    names = [f"p{i:04}" for i in range(size)]
    made = [product_pb2.Product(id=id, name=id, active=True, track_inventory=True) for id in names]
    await world.products().BatchCreateProducts(products_pb.BatchCreateProductsRequest(products=made))
    await world.close_main()
    await world.put("trade", *names)
    await world.give("trade")
    await world.show("top")
    await world.shelve("top", *names[0::4])
    await world.shelve("low", *names[1::4])
    await world.shelve("side", *names[2::4])
    await world.shelve("off", *names[3::4])
    await world.show_product(names[2], group="g")


async def test_what_is_shown_is_what_lists_show(world: World) -> None:
    await a_shop(world, 40)
    for caller in (buyer(), replace(buyer(), groups=frozenset({"g"})), buyer(party="globex")):
        assert await found(world, caller) == await world.seen(caller)
    assert await found(world, category_id="top") == [f"p{i:04}" for i in range(40) if i % 4 in (0, 1)]
    assert await found(world, category_id="top", only_this=True) == [f"p{i:04}" for i in range(0, 40, 4)]
    for hidden in ("side", "off", "none"):
        assert await found(world, category_id=hidden) == []
    assert await found(world, catalog_id=MAIN) == []
    assert await found(world, catalog_id="trade", category_id="low") == [f"p{i:04}" for i in range(1, 40, 4)]


async def test_neither_calls_nor_statements_grow(world: World) -> None:
    await a_shop(world, 40)

    async def cost() -> tuple[int, list[int], int]:
        before, asked = world.app.statements(), [world.peers[name].asked for name in ASKED]
        size = len(await found(world, category_id="top", page_size=1_000))
        now = [world.peers[name].asked for name in ASKED]
        return world.app.statements() - before, [b - a for a, b in zip(asked, now, strict=True)], size

    few = await cost()
    names = [f"q{i:04}" for i in range(1_000)]
    made = [product_pb2.Product(id=id, name=id, active=True, track_inventory=True) for id in names]
    await world.products().BatchCreateProducts(products_pb.BatchCreateProductsRequest(products=made))
    await world.put("trade", *names)
    await world.shelve("low", *names)
    many = await cost()

    assert few[1] == many[1] == [1, 1, 1]
    assert few[0] == many[0]
    assert (few[2], many[2]) == (20, 1_000)


@pytest.mark.parametrize("down", ASKED)
async def test_without_an_answer_of_each_service_there_is_none(world: World, down: str) -> None:
    await a_shop(world, 4)
    world.peers[down].down = True
    for call in (
        shop(world).ListMyProducts(pb.ListMyProductsRequest()),
        shop(world).GetMyProduct(pb.GetMyProductRequest(product_id="p0000")),
    ):
        with pytest.raises(WaybillError) as error:
            await call
        assert (error.value.kind, error.value.reason) == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")


async def test_what_is_wrong_is_named_all_at_once(world: World) -> None:
    with pytest.raises(WaybillError) as error:
        await found(world, seller(), catalog_id="?", category_id="!", user_id="/")
    assert sorted((f.field, f.reason) for f in error.value.fields) == [
        ("buyer_id", "FIELD_REQUIRED"),
        ("catalog_id", "ID_INVALID"),
        ("category_id", "ID_INVALID"),
        ("user_id", "ID_INVALID"),
    ]
    with pytest.raises(WaybillError) as error:
        await found(world, supplier())
    assert error.value.reason == "PARTY_NOT_ADMITTED"
