"""Facets: declared by the seller, kept with products, and counted over what a customer is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from libs.db.unit_of_work import SqlUnitsOfWork
from libs.errors import WaybillError
from services.catalog.adapters.db.shop import shop_store
from services.catalog.adapters.db.work import SqlCatalogWork
from services.catalog.application.products import faceting
from services.catalog.application.products.faceting import CollectValues
from tests.integration.catalog.shops import found, shop
from tests.integration.catalog.world import World, category
from tests.support.principals import buyer, seller
from waybill.catalog.v1 import my_product_pb2, product_pb2
from waybill.catalog.v1 import my_product_service_pb2 as pb
from waybill.catalog.v1 import product_facet_pb2 as facet_pb
from waybill.catalog.v1 import product_facet_service_pb2 as facets_pb
from waybill.catalog.v1 import product_service_pb2 as products_pb

Counts = dict[str, list[tuple[str, int]]]


async def declare(world: World, id: str, path: str = "", **fields: Any) -> facet_pb.ProductFacet:
    made = facet_pb.ProductFacet(id=id, name=id.title(), xp_path=path or id, **fields)
    return (await world.facets().CreateProductFacet(facets_pb.CreateProductFacetRequest(product_facet=made))).product_facet


async def stock(world: World, **xps: dict[str, Any]) -> None:
    made = []
    for id, xp in xps.items():
        product = product_pb2.Product(id=id, name=id, active=True)
        product.xp.update(xp)
        made.append(product)
    await world.products().BatchCreateProducts(products_pb.BatchCreateProductsRequest(products=made))


async def listed(world: World, caller: Any = None, **asked: Any) -> pb.ListMyProductsResponse:
    narrowed = [my_product_pb2.FacetFilter(facet_id=id, values=values) for id, values in asked.pop("only", {}).items()]
    request = pb.ListMyProductsRequest(**{"order_by": "id", "include_facets": True, "facet_filters": narrowed, **asked})
    return await shop(world, caller).ListMyProducts(request)


def counts(answer: pb.ListMyProductsResponse) -> Counts:
    return {facet.facet_id: [(each.value, each.count) for each in facet.values] for facet in answer.facets}


async def a_shop(world: World) -> None:
    await declare(world, "size", "specs.size", list_order=2)
    await declare(world, "color", list_order=1)
    await stock(
        world,
        a={"color": "red", "specs": {"size": 1}},
        b={"color": ["red", "blue", "red"], "specs": {"size": 2}},
        c={"color": "blue", "specs": {"size": 2}},
        d={"color": {"name": "red"}, "specs": "none"},
    )


async def test_values_are_counted_most_first_in_the_order_of_the_facets(world: World) -> None:
    await a_shop(world)
    answer = await listed(world)

    assert list(counts(answer).items()) == [("color", [("blue", 2), ("red", 2)]), ("size", [("2", 2), ("1", 1)])]
    assert [(f.name, f.xp_path, f.ready, f.more_values) for f in answer.facets] == [
        ("Color", "color", True, False),
        ("Size", "specs.size", True, False),
    ]
    assert counts(await listed(world, include_facets=False)) == {}
    assert counts(await listed(world, include_facets=False, facet_ids=["size"])) == {"size": [("2", 2), ("1", 1)]}


@pytest.mark.parametrize("small", [500, 1])
async def test_a_filter_narrows_all_but_its_own_facet(world: World, monkeypatch: pytest.MonkeyPatch, small: int) -> None:
    await a_shop(world)
    monkeypatch.setattr(shop_store, "SMALL", small)
    expected: list[tuple[dict[str, list[str]], list[str], Counts]] = [
        ({"color": ["red"]}, ["a", "b"], {"color": [("blue", 2), ("red", 2)], "size": [("1", 1), ("2", 1)]}),
        ({"color": ["red", "blue"]}, ["a", "b", "c"], {"color": [("blue", 2), ("red", 2)], "size": [("2", 2), ("1", 1)]}),
        ({"color": ["blue"], "size": ["2"]}, ["b", "c"], {"color": [("blue", 2), ("red", 1)], "size": [("2", 2)]}),
        ({"size": ["7"]}, [], {"color": [], "size": [("2", 2), ("1", 1)]}),
    ]
    for only, ids, counted in expected:
        answer = await listed(world, only=only)
        assert [item.product.id for item in answer.products] == ids
        assert counts(answer) == counted
    assert counts(await listed(world, only={"color": ["blue"]}, facet_ids=["size"])) == {"size": [("2", 2)]}
    assert counts(await listed(world, search="a", filter='name : "a"')) == {"color": [("red", 1)], "size": [("1", 1)]}
    assert counts(await listed(world, filter='xp.color = "blue"', page_size=1)) == {"color": [("blue", 1)], "size": [("2", 1)]}


async def test_nothing_is_counted_that_is_not_shown(world: World) -> None:
    await a_shop(world)
    await world.make_catalog("trade")
    await world.make_categories(category("top", "trade"))
    await world.close_main()
    await world.put("trade", "a", "b", "c")
    await world.give("trade")
    await world.show("top")
    await world.shelve("top", "a")
    await world.show_product("b", group="g")

    assert counts(await listed(world)) == {"color": [("red", 1)], "size": [("1", 1)]}
    grouped = await listed(world, replace(buyer(), groups=frozenset({"g"})))
    assert counts(grouped)["color"] == [("red", 2), ("blue", 1)]
    assert counts(await listed(world, buyer(party="globex"))) == {"color": [], "size": []}
    assert counts(await listed(world, seller(), buyer_id="acme", category_id="top"))["size"] == [("1", 1)]
    inactive = product_pb2.Product(id="a", active=False)
    await world.products().UpdateProduct(products_pb.UpdateProductRequest(product=inactive, update_mask={"paths": ["active"]}))
    assert counts(await listed(world)) == {"color": [], "size": []}


async def test_counts_follow_what_products_say(world: World) -> None:
    await a_shop(world)
    changed = product_pb2.Product(id="a")
    changed.xp.update({"color": "green", "specs": None})
    await world.products().UpdateProduct(products_pb.UpdateProductRequest(product=changed))
    await world.products().DeleteProduct(products_pb.DeleteProductRequest(product_id="b"))

    assert counts(await listed(world)) == {"color": [("blue", 1), ("green", 1)], "size": [("2", 1)]}


async def test_what_was_there_before_a_facet_is_collected_part_by_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await stock(world, **{f"p{i}": {"color": "red" if i % 2 else "blue"} for i in range(7)})
    assert world.app.database is not None
    collect = CollectValues(SqlUnitsOfWork(world.app.database, SqlCatalogWork))
    monkeypatch.setattr(faceting, "PART", 3)
    made = await declare(world, "color")
    assert not made.ready
    changed = product_pb2.Product(id="p6")
    changed.xp.update({"color": "green"})
    await world.products().UpdateProduct(products_pb.UpdateProductRequest(product=changed))
    waiting = await listed(world)
    assert [(f.ready, len(f.values)) for f in waiting.facets] == [(False, 0)]
    with pytest.raises(WaybillError) as error:
        await listed(world, only={"color": ["red"]})
    assert (error.value.kind, error.value.reason) == ("FAILED_PRECONDITION", "FACET_NOT_READY")
    await collect.once()

    assert counts(await listed(world)) == {"color": [("blue", 3), ("red", 3), ("green", 1)]}
    assert not await collect.part()


async def test_another_path_is_collected_anew_and_what_goes_takes_its_values(world: World) -> None:
    await a_shop(world)
    moved = facet_pb.ProductFacet(id="color", xp_path="specs.size.none")
    await world.facets().UpdateProductFacet(facets_pb.UpdateProductFacetRequest(product_facet=moved))
    assert counts(await listed(world))["color"] == []
    back = facet_pb.ProductFacet(id="color", xp_path="color", min_count=3)
    made = await world.facets().UpdateProductFacet(facets_pb.UpdateProductFacetRequest(product_facet=back))
    assert (made.product_facet.ready, made.product_facet.etag) == (True, "3")
    assert counts(await listed(world))["color"] == []
    often = facet_pb.ProductFacet(id="color", min_count=2)
    await world.facets().UpdateProductFacet(facets_pb.UpdateProductFacetRequest(product_facet=often))
    assert counts(await listed(world))["color"] == [("blue", 2), ("red", 2)]
    await world.facets().DeleteProductFacet(facets_pb.DeleteProductFacetRequest(product_facet_id="color"))

    assert list(counts(await listed(world))) == ["size"]
    page = await world.facets(seller("ProductFacetReader")).ListProductFacets(facets_pb.ListProductFacetsRequest())
    assert [facet.id for facet in page.product_facets] == ["size"]


async def test_two_facets_have_two_paths(world: World) -> None:
    await declare(world, "color")
    for id, path, fields in (
        ("again", "color", [("product_facet.xp_path", "FACET_PATH_TAKEN")]),
        ("deep", "a.b.c.d.e.f", [("product_facet.xp_path", "FIELD_INVALID")]),
    ):
        with pytest.raises(WaybillError) as error:
            await declare(world, id, path)
        assert [(f.field, f.reason) for f in error.value.fields] == fields


async def test_a_repeated_declaration_answers_as_the_first(world: World) -> None:
    made = facet_pb.ProductFacet(name="Color", xp_path="color")
    request = facets_pb.CreateProductFacetRequest(product_facet=made, request_id="once")
    first = await world.facets().CreateProductFacet(request)
    assert await world.facets().CreateProductFacet(request) == first
    assert first.product_facet.ready


async def test_faults_of_facets_are_named_with_all_others(world: World) -> None:
    await declare(world, "color")
    with pytest.raises(WaybillError) as error:
        await listed(world, catalog_id="?", facet_ids=["gone"], only={"color": [], "none": ["x"]})
    assert sorted((f.field, f.reason) for f in error.value.fields) == [
        ("catalog_id", "ID_INVALID"),
        ("facet_filters[0].values", "FIELD_REQUIRED"),
        ("facet_filters[1].facet_id", "FACET_NOT_FOUND"),
        ("facet_ids[0]", "FACET_NOT_FOUND"),
    ]


async def test_a_page_belongs_to_its_facet_filters(world: World) -> None:
    await a_shop(world)
    first = await listed(world, only={"color": ["red"]}, page_size=1)
    next = {"page_size": 1, "page_token": first.next_page_token}
    second = await listed(world, only={"color": ["red"]}, include_facets=False, **next)
    assert [item.product.id for item in second.products] == ["b"]
    with pytest.raises(WaybillError) as error:
        await listed(world, only={"color": ["blue"]}, **next)
    assert [f.field for f in error.value.fields] == ["page_token"]


async def test_statements_grow_neither_with_facets_nor_with_products(world: World) -> None:
    await a_shop(world)

    async def cost(**asked: Any) -> int:
        before = world.app.statements()
        await listed(world, **asked)
        return world.app.statements() - before

    few = [await cost(), await cost(only={"color": ["red"]}), await cost(only={"color": ["red"], "size": ["1"]})]
    for i in range(5):
        await declare(world, f"f{i}")
    await stock(world, **{f"q{i:03}": {"color": f"c{i}", "specs": {"size": i}, "f1": i, "f2": str(i)} for i in range(300)})
    many = [await cost(), await cost(only={"color": ["red"]}), await cost(only={"color": ["red"], "size": ["1"]})]

    assert many == few
    answer = await listed(world)
    assert [(f.facet_id, len(f.values), f.more_values) for f in answer.facets if f.facet_id == "color"] == [("color", 100, True)]
    assert len(await found(world, include_facets=True, page_size=1_000)) == 304
