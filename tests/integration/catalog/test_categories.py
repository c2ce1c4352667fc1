"""Categories: trees that stay trees, and what stands in them."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from tests.integration.catalog.world import MAIN, World, category, fields_of, ids
from tests.support.principals import buyer, seller
from waybill.catalog.v1 import category_service_pb2 as pb
from waybill.catalog.v1 import product_assignment_service_pb2 as placing_pb
from waybill.catalog.v1 import product_service_pb2 as products_pb
from waybill.catalog.v1.category_pb2 import Category
from waybill.catalog.v1.product_assignment_pb2 import CategoryProduct


async def move(world: World, id: str, parent: str) -> None:
    mask = FieldMask(paths=["parent_id"])
    moved = pb.UpdateCategoryRequest(category=Category(id=id, parent_id=parent), update_mask=mask)
    await world.categories().UpdateCategory(moved)


async def wrong(call) -> list[tuple[str, str]]:
    with pytest.raises(WaybillError) as caught:
        await call
    return fields_of(caught)


async def parents(world: World) -> dict[str, str]:
    page = await world.categories().ListCategories(pb.ListCategoriesRequest(page_size=1_000))
    return {c.id: c.parent_id for c in page.categories}


async def shelved(world: World, filter: str = "") -> list[tuple[str, str]]:
    page = await world.placing().ListCategoryProducts(placing_pb.ListCategoryProductsRequest(filter=filter))
    return [(a.category_id, a.product_id) for a in page.assignments]


async def test_a_tree_is_made_at_once_and_a_repeat_answers_the_same(world: World):
    tree = [category("leaf", parent="top", list_order=2), category("top")]
    made = await world.make_categories(*tree, request_id="r")

    assert ids(made) == ["leaf", "top"]
    assert await world.make_categories(*tree, request_id="r") == made
    got = (await world.categories(seller("CategoryReader")).GetCategory(pb.GetCategoryRequest(category_id="leaf"))).category
    assert (got.catalog_id, got.parent_id, got.list_order) == (MAIN, "top", 2)


async def test_where_a_category_cannot_stand_is_said_of_each(world: World):
    await world.make_catalog("other")
    await world.make_categories(category("theirs", "other"), category("top"), category("below", parent="top"))

    assert await wrong(
        world.make_categories(
            category("a", "gone"), category("b", parent="theirs"), category("c", list_order=-1), category("c", "")
        )
    ) == [
        ("categories[0].catalog_id", "CATALOG_NOT_FOUND"),
        ("categories[1].parent_id", "CATEGORY_NOT_FOUND"),
        ("categories[2].list_order", "VALUE_OUT_OF_RANGE"),
        ("categories[3].catalog_id", "FIELD_REQUIRED"),
        ("categories[3].id", "DUPLICATE_ITEM"),
    ]
    assert await wrong(move(world, "top", "below")) == [("category.parent_id", "CATEGORY_CIRCLE")]
    assert await wrong(move(world, "top", "theirs")) == [("category.parent_id", "CATEGORY_NOT_FOUND")]
    catalog = pb.UpdateCategoryRequest(
        category=Category(id="top", catalog_id="other"), update_mask=FieldMask(paths=["catalog_id"])
    )
    assert ("category.catalog_id", "FIELD_INVALID") in await wrong(world.categories().UpdateCategory(catalog))


async def test_a_move_takes_what_is_below_along_and_not_below_the_tenth_level(world: World):
    chain = [category(f"c{i}", parent=f"c{i - 1}" if i > 1 else "") for i in range(1, 10)]
    await world.make_categories(*chain, category("moved"), category("leaf", parent="moved"))

    assert await wrong(move(world, "moved", "c9")) == [("category.parent_id", "CATEGORY_TOO_DEEP")]
    await move(world, "moved", "c8")
    assert (await parents(world))["moved"] == "c8"
    assert await wrong(world.make_categories(category("more", parent="leaf"))) == [
        ("categories[0].parent_id", "CATEGORY_TOO_DEEP")
    ]


async def test_two_moves_at_once_make_no_circle(world: World):
    for i in range(5):
        a, b = f"a{i}", f"b{i}"
        await world.make_categories(category(a), category(b))
        results = await asyncio.gather(move(world, a, b), move(world, b, a), return_exceptions=True)
        refused = [r for r in results if isinstance(r, WaybillError)]
        assert [r.reason for r in refused] == ["CATEGORY_CIRCLE"]


async def test_a_delete_at_once_with_a_child_leaves_no_child_without_parent(world: World):
    for i in range(5):
        await world.make_categories(category(f"p{i}"))
        delete = world.categories().DeleteCategory(pb.DeleteCategoryRequest(category_id=f"p{i}"))
        child = world.make_categories(category(f"c{i}", parent=f"p{i}"))
        results = await asyncio.gather(delete, child, return_exceptions=True)
        refused = [r.reason for r in results if isinstance(r, WaybillError)]
        assert refused in (["RESOURCE_IN_USE"], ["CATEGORY_NOT_FOUND"])


async def test_a_category_goes_with_its_assignments_but_not_before_those_below_it(world: World):
    await world.make_products("anvil")
    await world.make_categories(category("top"), category("leaf", parent="top"))
    await world.shelve("top", "anvil")
    await world.show("top")

    async def delete(id: str) -> None:
        await world.categories().DeleteCategory(pb.DeleteCategoryRequest(category_id=id))

    with pytest.raises(WaybillError) as caught:
        await delete("top")
    assert (caught.value.kind, caught.value.metadata["used_by"]) == (Kind.PRECONDITION, "category: 1 (leaf)")
    await delete("leaf")
    await delete("top")
    assert await shelved(world) == []


async def test_products_stand_in_categories_of_catalogs_that_they_stand_in_until_they_leave(world: World):
    await world.make_products("anvil", "lamp")
    await world.make_catalog("other")
    await world.make_categories(category("top"), category("theirs", "other"))

    assert await wrong(world.shelve("theirs", "anvil")) == [("assignments[0].product_id", "PRODUCT_NOT_IN_CATALOG")]
    await world.put("other", "anvil")
    for shelf, id in (("theirs", "anvil"), ("top", "anvil"), ("top", "lamp")):
        await world.shelve(shelf, id)
    await world.take("other", "anvil")
    assert await shelved(world) == [("top", "anvil"), ("top", "lamp")]
    await world.products().DeleteProduct(products_pb.DeleteProductRequest(product_id="anvil"))
    assert await shelved(world) == [("top", "lamp")]


async def test_a_product_that_leaves_while_it_is_put_on_a_shelf_is_on_none_afterwards(world: World):
    await world.make_categories(category("top"))
    for i in range(5):
        await world.make_products(f"p{i}")
        await asyncio.gather(world.take(MAIN, f"p{i}"), world.shelve("top", f"p{i}"), return_exceptions=True)
        assert await shelved(world, f'product_id = "p{i}"') == []


async def test_products_of_a_category_stand_in_the_order_that_the_seller_gave_them(world: World):
    await world.make_products("a", "b", "c")
    await world.make_categories(category("top"))
    placed = [CategoryProduct(category_id="top", product_id=id, list_order=n) for id, n in (("a", 3), ("b", 1), ("c", 1))]
    await world.placing().AssignCategoryProducts(placing_pb.AssignCategoryProductsRequest(assignments=placed))

    assert await shelved(world) == [("top", "b"), ("top", "c"), ("top", "a")]


async def test_buyers_read_the_categories_that_are_shown_to_them(world: World):
    await world.make_catalog("trade")
    await world.give("trade")
    await world.make_categories(
        category("top", "trade"), category("leaf", "trade", "top"), category("off", "trade", active=False), category("open")
    )
    await world.show("leaf")

    async def seen(party: str) -> list[str]:
        listed = world.categories(buyer(party=party)).ListCategories
        return ids((await listed(pb.ListCategoriesRequest(order_by="id"))).categories)

    assert await seen("acme") == ["leaf", "open"]
    assert await seen("globex") == ["open"]
    with pytest.raises(WaybillError) as caught:
        await world.categories(buyer()).GetCategory(pb.GetCategoryRequest(category_id="top"))
    assert caught.value.reason == "RESOURCE_NOT_FOUND"
    await world.show("open", visible=False)
    assert await seen("acme") == ["leaf"]


async def test_siblings_stand_by_their_list_order_and_then_their_ids(world: World) -> None:
    places = {"top": ("", 1), "z": ("top", 0), "b": ("top", 2), "a": ("top", 2), "first": ("", 0)}
    await world.make_categories(*(category(id, parent=parent, list_order=place) for id, (parent, place) in places.items()))
    page = await world.categories().ListCategories(pb.ListCategoriesRequest(filter="catalog_id = main"))

    assert [made.id for made in page.categories] == ["first", "top", "z", "a", "b"]
    first = await world.categories().ListCategories(pb.ListCategoriesRequest(page_size=3))
    rest = await world.categories().ListCategories(pb.ListCategoriesRequest(page_token=first.next_page_token))
    assert [made.id for made in rest.categories] == ["a", "b"]
