"""Catalogs, who has them, and which products stand in them."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from tests.integration.catalog.world import MAIN, World, fields_of, ids
from tests.support.principals import buyer, seller, supplier
from waybill.catalog.v1 import catalog_service_pb2 as pb
from waybill.catalog.v1 import product_assignment_service_pb2 as placing_pb
from waybill.catalog.v1 import product_service_pb2 as products_pb
from waybill.catalog.v1.catalog_pb2 import Catalog, CatalogAssignment, CatalogAssignmentKey
from waybill.catalog.v1.product_assignment_pb2 import CatalogProduct
from waybill.catalog.v1.product_pb2 import Product


async def standing(world: World, filter: str = "") -> list[tuple[str, str]]:
    page = await world.placing().ListCatalogProducts(placing_pb.ListCatalogProductsRequest(filter=filter, page_size=1_000))
    return [(a.catalog_id, a.product_id) for a in page.assignments]


async def refused(call) -> tuple[Kind, str]:
    with pytest.raises(WaybillError) as caught:
        await call
    return caught.value.kind, caught.value.reason


async def test_a_new_marketplace_has_one_catalog_that_shows_everything_to_every_buyer(world: World):
    (main,) = (await world.catalogs().ListCatalogs(pb.ListCatalogsRequest())).catalogs

    assert (main.id, main.name, main.active, main.open_to_all_buyers, main.takes_new_products) == (MAIN, "Main", True, True, True)
    await world.make_products("anvil", "lamp")
    assert await standing(world) == [(MAIN, "anvil"), (MAIN, "lamp")]
    assert await world.seen() == ["anvil", "lamp"]


async def test_a_catalog_comes_back_as_it_was_stored_and_is_changed_by_its_mask(world: World):
    wanted = Catalog(id="trade", name="Trade", description="For the trade.", takes_new_products=True)
    wanted.xp.update({"season": "spring"})
    made = (await world.catalogs().CreateCatalog(pb.CreateCatalogRequest(catalog=wanted))).catalog
    got = (await world.catalogs().GetCatalog(pb.GetCatalogRequest(catalog_id="trade"))).catalog
    changed = Catalog(id="trade", active=True, etag=got.etag)
    request = pb.UpdateCatalogRequest(catalog=changed, update_mask=FieldMask(paths=["active"]))
    after = (await world.catalogs().UpdateCatalog(request)).catalog

    assert made == got
    assert (got.description, got.active, dict(got.xp)) == ("For the trade.", False, {"season": "spring"})
    assert (after.active, after.takes_new_products, after.etag) == (True, True, "2")
    assert await refused(world.catalogs().UpdateCatalog(request)) == (Kind.STALE, "ETAG_MISMATCH")


async def test_new_products_go_into_every_catalog_that_takes_them_in_as_many_statements_for_a_thousand_as_for_one(world: World):
    await world.make_catalog("second", takes_new_products=True)
    await world.make_catalog("third")

    async def statements(*made: str) -> int:
        before = world.served.statements
        await world.make_products(*made)
        return world.served.statements - before

    one, many = await statements("p"), await statements(*(f"p{i}" for i in range(1_000)))

    assert one == many
    assert await standing(world, 'product_id = "p"') == [(MAIN, "p"), ("second", "p")]
    assert len(await standing(world, 'catalog_id = "second"')) == 1_000
    request = products_pb.CreateProductRequest(product=Product(id="again", name="x"), request_id="r")
    for _ in range(2):
        await world.products().CreateProduct(request)


async def test_buyers_see_active_catalogs_that_are_open_or_theirs_and_suppliers_those_they_have_a_permission_for(world: World):
    for id, fields in (("theirs", {}), ("others", {}), ("off", {"active": False})):
        await world.make_catalog(id, **fields)
    for id in ("theirs", "off"):
        await world.give(id)

    async def seen(caller) -> list[str]:
        return ids((await world.catalogs(caller).ListCatalogs(pb.ListCatalogsRequest(order_by="id"))).catalogs)

    assert await seen(buyer()) == [MAIN, "theirs"]
    assert await seen(buyer(party="globex")) == [MAIN]
    assert await seen(seller("CatalogReader")) == [MAIN, "off", "others", "theirs"]
    got = world.catalogs(buyer()).GetCatalog
    assert (await got(pb.GetCatalogRequest(catalog_id="theirs"))).catalog.id == "theirs"
    for id in ("others", "off", "nowhere"):
        assert await refused(got(pb.GetCatalogRequest(catalog_id=id))) == (Kind.MISSING, "RESOURCE_NOT_FOUND")
    assert await seen(supplier()) == []
    await world.permit("others")
    assert await seen(supplier()) == ["others"]
    assert await seen(supplier(party="nut")) == []
    assert await refused(seen(seller("CategoryReader"))) == (Kind.DENIED, "ROLE_MISSING")


async def test_assignments_to_buyers_are_replaced_listed_and_ended(world: World):
    await world.make_catalog("trade")
    await world.give("trade")
    await world.give("trade", categories=True)
    await world.give("trade", to="globex", products=True)

    async def listed(filter: str = "") -> list[tuple[str, str, bool, bool]]:
        page = await world.catalogs().ListCatalogAssignments(pb.ListCatalogAssignmentsRequest(filter=filter))
        return [(a.catalog_id, a.buyer_id, a.view_all_categories, a.view_all_products) for a in page.assignments]

    assert await listed() == [("trade", "acme", True, False), ("trade", "globex", False, True)]
    assert await listed('buyer_id = "globex" AND view_all_products = true') == [("trade", "globex", False, True)]
    ended = [CatalogAssignmentKey(catalog_id="trade", buyer_id=id) for id in ("acme", "nobody")]
    for _ in range(2):
        await world.catalogs().UnassignCatalogs(pb.UnassignCatalogsRequest(assignments=ended, request_id="end"))
    assert await listed() == [("trade", "globex", False, True)]


async def test_everything_that_is_wrong_with_assignments_is_named_at_once(world: World):
    given = [CatalogAssignment(catalog_id="no id"), CatalogAssignment(buyer_id="acme")]
    with pytest.raises(WaybillError) as caught:
        await world.catalogs().AssignCatalogs(pb.AssignCatalogsRequest(assignments=given))
    assert fields_of(caught) == [
        ("assignments[0].buyer_id", "FIELD_REQUIRED"),
        ("assignments[0].catalog_id", "ID_INVALID"),
        ("assignments[1].catalog_id", "FIELD_REQUIRED"),
    ]
    unknown = [CatalogProduct(catalog_id=MAIN, product_id="gone"), CatalogProduct(catalog_id="gone", product_id="gone")]
    with pytest.raises(WaybillError) as caught:
        await world.placing().AssignCatalogProducts(placing_pb.AssignCatalogProductsRequest(assignments=unknown))
    assert fields_of(caught) == [
        ("assignments[0].product_id", "PRODUCT_NOT_FOUND"),
        ("assignments[1].catalog_id", "CATALOG_NOT_FOUND"),
        ("assignments[1].product_id", "PRODUCT_NOT_FOUND"),
    ]


async def test_a_catalog_goes_when_nothing_is_left_of_it(world: World):
    await world.make_products("anvil")
    await world.make_catalog("trade")
    await world.put("trade", "anvil")
    await world.give("trade")

    async def delete() -> None:
        await world.catalogs().DeleteCatalog(pb.DeleteCatalogRequest(catalog_id="trade"))

    with pytest.raises(WaybillError) as caught:
        await delete()
    assert caught.value.metadata["used_by"] == "product: 1 (anvil); buyer: 1 (acme)"
    await world.take("trade", "anvil")
    ended = [CatalogAssignmentKey(catalog_id="trade", buyer_id="acme")]
    await world.catalogs().UnassignCatalogs(pb.UnassignCatalogsRequest(assignments=ended))
    await delete()
    assert await refused(delete()) == (Kind.MISSING, "RESOURCE_NOT_FOUND")


async def test_a_thousand_assignments_take_as_many_statements_as_one(world: World):
    made = [f"p{i}" for i in range(1_000)]
    await world.make_products(*made)
    await world.make_catalog("trade")
    counts = []
    for wanted in (made[:1], made):
        for step in (world.put, world.take):
            before = world.served.statements
            await step("trade", *wanted)
            counts.append(world.served.statements - before)

    assert counts[:2] == counts[2:]


async def test_catalogs_are_made_together_or_not_at_all_and_every_fault_is_named(world: World):
    def batch(*made: Catalog, request_id: str = "") -> pb.BatchCreateCatalogsRequest:
        return pb.BatchCreateCatalogsRequest(catalogs=made, request_id=request_id)

    async def stored() -> list[str]:
        return ids((await world.catalogs().ListCatalogs(pb.ListCatalogsRequest(order_by="id"))).catalogs)

    request = batch(Catalog(id="b", name="B", takes_new_products=True), Catalog(id="a", name="A", active=True), request_id="once")
    made = (await world.catalogs().BatchCreateCatalogs(request)).catalogs
    assert ids(made) == ["b", "a"]
    for one in made:
        assert (await world.catalogs().GetCatalog(pb.GetCatalogRequest(catalog_id=one.id))).catalog == one
    assert (await world.catalogs().BatchCreateCatalogs(request)).catalogs == made
    faulty = batch(
        Catalog(id="c", name="C"),
        Catalog(id="no id", name=""),
        Catalog(id="c", name="C"),
        Catalog(id="d", name="n" * 101, description="d" * 2_001),
    )
    with pytest.raises(WaybillError) as caught:
        await world.catalogs().BatchCreateCatalogs(faulty)
    assert fields_of(caught) == [
        ("catalogs[1].id", "ID_INVALID"),
        ("catalogs[1].name", "FIELD_REQUIRED"),
        ("catalogs[2].id", "DUPLICATE_ITEM"),
        ("catalogs[3].description", "VALUE_OUT_OF_RANGE"),
        ("catalogs[3].name", "VALUE_OUT_OF_RANGE"),
    ]
    assert await refused(world.catalogs().BatchCreateCatalogs(batch(Catalog(id="e", name="E"), Catalog(id="a", name="A")))) == (
        Kind.EXISTS,
        "RESOURCE_EXISTS",
    )
    with pytest.raises(WaybillError) as caught:
        await world.catalogs().BatchCreateCatalogs(batch(*(Catalog(id=f"x{i}", name="X") for i in range(1_001))))
    assert fields_of(caught) == [("catalogs", "TOO_MANY_ITEMS")]
    for caller in (buyer(), supplier("CatalogAdmin")):
        assert await refused(world.catalogs(caller).BatchCreateCatalogs(batch(Catalog(id="f", name="F")))) == (
            Kind.DENIED,
            "PARTY_NOT_ADMITTED",
        )
    assert await stored() == ["a", "b", MAIN]
