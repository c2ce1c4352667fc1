"""A shop: the same products as lists show, with prices and stock, at the same number of calls and statements."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.errors import WaybillError
from services.catalog.adapters.db.shop import shop_store
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


async def test_every_word_of_a_search_begins_a_word(world: World) -> None:
    texts = {"a1": "Steel anvil, 20 kg", "a2": "Straße Lamp", "a3": "anvil-shaped Lámp", "zebra": "Plain"}
    made = [product_pb2.Product(id=id, name=name, active=True, description="for the forge") for id, name in texts.items()]
    await world.products().BatchCreateProducts(products_pb.BatchCreateProductsRequest(products=made))
    expected = {
        "anv": ["a1", "a3"],
        "ANVIL st": ["a1"],
        "strasse": ["a2"],
        "ＳＴＲ": ["a2"],
        "20 anvil": ["a1"],
        "nvil": [],
        "lamp": ["a2"],
        "a": ["a1", "a2", "a3"],
        "zeb": ["zebra"],
        "for fo": ["a1", "a2", "a3", "zebra"],
    }
    assert {text: await found(world, search=text) for text in expected} == expected

    renamed = product_pb2.Product(id="a2", name="Hammer")
    await world.products().UpdateProduct(products_pb.UpdateProductRequest(product=renamed))
    await world.products().DeleteProduct(products_pb.DeleteProductRequest(product_id="a1"))
    assert (await found(world, search="strasse"), await found(world, search="hamm forge")) == ([], ["a2"])
    assert await found(world, search="anvil") == ["a3"]


async def test_a_search_finds_nothing_that_is_not_shown(world: World) -> None:
    await a_shop(world, 8)
    page = await shop(world).ListMyProducts(pb.ListMyProductsRequest(search="p", order_by="id", include_total=True))

    assert [item.product.id for item in page.products] == ["p0000", "p0001", "p0004", "p0005"]
    assert page.total_size == 4
    assert await found(world, search="p0002") == []
    assert await found(world, replace(buyer(), groups=frozenset({"g"})), search="p0002") == ["p0002"]
    assert await found(world, seller(), search="p0002", buyer_id="acme") == []


async def test_large_sets_are_walked_as_small_ones_are_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_shop(world, 40)
    asked = [{}, {"search": "p"}, {"category_id": "top"}, {"catalog_id": "trade", "search": "p001"}, {"page_size": 3}]
    named = [await found(world, **one) for one in asked]
    monkeypatch.setattr(shop_store, "SMALL", 2)

    assert [await found(world, **one) for one in asked] == named


async def test_what_large_sets_share_is_found_whether_it_is_little_or_much(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_shop(world, 40)
    asked = [{"category_id": "top", "search": "p003"}, {"category_id": "top", "search": "p p003"}, {"search": "p00 p003 p"}]
    asked += [{"catalog_id": "trade", "category_id": "top", "search": "p00"}, {"category_id": "side", "search": "p003"}]
    named = [await found(world, **one) for one in asked]
    assert named[0] == named[1] == named[2] == ["p0032", "p0033", "p0036", "p0037"]

    async def cost(**one: str) -> int:
        before = world.app.statements()
        await found(world, **one)
        return world.app.statements() - before

    for small in (1, 3, 4, 9, 12):
        monkeypatch.setattr(shop_store, "SMALL", small)
        assert [await found(world, **one) for one in asked] == named
    monkeypatch.setattr(shop_store, "SMALL", 4)
    assert (
        await cost(category_id="top", search="p003") == await cost(category_id="top", search="p00") == 1 + await cost(search="p")
    )


async def test_a_set_of_many_rows_and_few_products_is_not_taken_for_small(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    words = " ".join(f"w{i}" for i in range(9))
    made = [product_pb2.Product(id=f"p{i}", name=words, active=True) for i in range(6)]
    await world.products().BatchCreateProducts(products_pb.BatchCreateProductsRequest(products=made))
    monkeypatch.setattr(shop_store, "SMALL", 5)

    assert await found(world, search="w") == [f"p{i}" for i in range(6)]
