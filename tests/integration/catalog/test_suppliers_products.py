"""Products that suppliers keep themselves, as far as the seller lets them."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from tests.integration.catalog.world import MAIN, World, category, fields_of
from tests.support.principals import buyer, seller, supplier
from waybill.catalog.v1 import catalog_service_pb2 as catalogs_pb
from waybill.catalog.v1 import category_service_pb2 as categories_pb
from waybill.catalog.v1 import product_assignment_pb2 as placed_pb
from waybill.catalog.v1 import product_assignment_service_pb2 as placing_pb
from waybill.catalog.v1 import product_proposal_pb2 as proposed_pb
from waybill.catalog.v1 import product_proposal_service_pb2 as proposals_pb
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1 import supplier_permission_pb2 as permitted_pb
from waybill.catalog.v1 import supplier_permission_service_pb2 as permissions_pb
from waybill.catalog.v1.product_pb2 import Product

BOLT, NUT = supplier("ProductAdmin"), supplier("ProductAdmin", party="nut", user="nora")


def product(id: str = "anvil", **fields) -> Product:
    return Product(**{"id": id, "name": id.title(), "active": True, **fields})


async def create(world: World, *made: Product, by=BOLT, request_id: str = "") -> list[Product]:
    request = pb.BatchCreateProductsRequest(products=made, request_id=request_id)
    return list((await world.products(by).BatchCreateProducts(request)).products)


async def update(world: World, changed: Product, *paths: str, by=BOLT) -> Product:
    request = pb.UpdateProductRequest(product=changed, update_mask=FieldMask(paths=paths))
    return (await world.products(by).UpdateProduct(request)).product


async def put(world: World, catalog: str, *ids: str, by=BOLT, request_id: str = "") -> None:
    given = [placed_pb.CatalogProduct(catalog_id=catalog, product_id=id) for id in ids]
    request = placing_pb.AssignCatalogProductsRequest(assignments=given, request_id=request_id)
    await world.placing(by).AssignCatalogProducts(request)


async def take(world: World, catalog: str, *ids: str, by=BOLT) -> None:
    given = [placed_pb.CatalogProduct(catalog_id=catalog, product_id=id) for id in ids]
    await world.placing(by).UnassignCatalogProducts(placing_pb.UnassignCatalogProductsRequest(assignments=given))


async def standing(world: World, by=None) -> list[tuple[str, str]]:
    page = await world.placing(by).ListCatalogProducts(placing_pb.ListCatalogProductsRequest())
    return [(a.catalog_id, a.product_id) for a in page.assignments]


async def proposed(world: World, by=None, filter: str = "") -> list[tuple[str, str, str, str]]:
    page = await world.proposals(by).ListProductProposals(proposals_pb.ListProductProposalsRequest(filter=filter))
    name = proposed_pb.ProposalState.Name
    return [(p.catalog_id, p.product_id, name(p.state).removeprefix("PROPOSAL_STATE_"), p.comment) for p in page.proposals]


async def approve(world: World, *ids: str, catalog: str = MAIN, request_id: str = "") -> None:
    given = [proposed_pb.ProductApproval(catalog_id=catalog, product_id=id) for id in ids]
    await world.proposals().ApproveProducts(proposals_pb.ApproveProductsRequest(assignments=given, request_id=request_id))


async def reject(world: World, *ids: str, comment: str = "", catalog: str = MAIN) -> None:
    given = [proposed_pb.ProductRejection(catalog_id=catalog, product_id=id, comment=comment) for id in ids]
    await world.proposals().RejectProducts(proposals_pb.RejectProductsRequest(assignments=given))


async def refused(call) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def violations(call) -> list[tuple[str, str]]:
    return sorted((f.field, f.reason) for f in (await refused(call)).fields)


async def test_a_supplier_keeps_no_products_before_the_seller_lets_it(world: World):
    error = await refused(create(world, product()))
    assert (error.kind, error.reason, error.metadata) == (Kind.PRECONDITION, "SUPPLIER_NOT_ADMITTED", {"supplier": "bolt"})
    await world.permit(MAIN)
    (made,) = await create(world, product())

    assert (made.owner_supplier_id, made.default_supplier_id) == ("bolt", "bolt")
    assert await world.seen() == await world.seen(BOLT) == ["anvil"]
    assert await world.seen(NUT) == []


async def test_new_products_go_where_they_are_taken_and_the_supplier_is_admitted(world: World):
    for id in ("mine", "watched", "others"):
        await world.make_catalog(id, takes_new_products=True)
    await world.make_catalog("closed")
    for id in ("mine", "closed"):
        await world.permit(id)
    await world.permit("watched", approval=True)
    await create(world, product())

    assert await standing(world) == await standing(world, BOLT) == [("mine", "anvil")]
    assert await proposed(world) == await proposed(world, BOLT) == [("watched", "anvil", "PENDING", "")]
    assert await standing(world, NUT) == await proposed(world, NUT) == []


async def test_a_supplier_sets_what_it_may_and_names_nobody_else(world: World):
    await world.permit(MAIN, "bolt", "name", "description", "active", "xp")
    wrong = [
        product("fine"),
        product("a", owner_supplier_id="nut"),
        product("b", default_supplier_id="nut", supplier_ids=["gear"]),
        product("c", tax_class="food", shippable=True, name=""),
    ]
    assert await violations(create(world, *wrong)) == [
        ("products[1].owner_supplier_id", "FIELD_NOT_ADMITTED"),
        ("products[2].default_supplier_id", "FIELD_NOT_ADMITTED"),
        ("products[2].supplier_ids", "FIELD_NOT_ADMITTED"),
        ("products[3].name", "FIELD_REQUIRED"),
        ("products[3].shippable", "FIELD_NOT_ADMITTED"),
        ("products[3].tax_class", "FIELD_NOT_ADMITTED"),
    ]
    assert await world.seen(seller()) == []
    await create(world, product(description="Heavy.", owner_supplier_id="bolt"))
    assert (await update(world, product(description="Heavier."), "description")).description == "Heavier."
    changed = product(owner_supplier_id="", default_supplier_id="nut", tax_class="food")
    assert await violations(update(world, changed, "owner_supplier_id", "default_supplier_id", "tax_class", "name")) == [
        ("product.default_supplier_id", "FIELD_NOT_ADMITTED"),
        ("product.owner_supplier_id", "FIELD_NOT_ADMITTED"),
        ("product.tax_class", "FIELD_NOT_ADMITTED"),
    ]


async def test_what_is_not_a_suppliers_own_is_not_there_to_be_changed(world: World):
    for party in ("bolt", "nut"):
        await world.permit(MAIN, party)
    await create(world, product())
    await create(world, product("sellers", default_supplier_id="nut"), by=seller())
    for id in ("anvil", "sellers", "nothing"):
        assert (await refused(update(world, product(id, name="Mine"), "name", by=NUT))).reason == "RESOURCE_NOT_FOUND"
        assert (await refused(world.products(NUT).DeleteProduct(pb.DeleteProductRequest(product_id=id)))).kind is Kind.MISSING
        assert await violations(put(world, MAIN, id, by=NUT)) == [("assignments[0].product_id", "PRODUCT_NOT_FOUND")]
        await take(world, MAIN, id, by=NUT)
    assert await standing(world) == [(MAIN, "anvil"), (MAIN, "sellers")]
    await world.products(BOLT).DeleteProduct(pb.DeleteProductRequest(product_id="anvil"))
    assert await standing(world) == [(MAIN, "sellers")]


async def test_the_seller_names_and_changes_the_owner_who_is_the_default_supplier(world: World):
    await world.permit(MAIN, approval=True)
    wrong = create(world, product(owner_supplier_id="bolt", default_supplier_id="nut"), by=seller())
    assert await violations(wrong) == [("products[0].owner_supplier_id", "OWNER_NOT_DEFAULT_SUPPLIER")]
    await create(world, product())
    assert await violations(update(world, product(owner_supplier_id="nut"), "owner_supplier_id", by=seller())) == [
        ("product.owner_supplier_id", "OWNER_NOT_DEFAULT_SUPPLIER")
    ]
    changed = product(owner_supplier_id="nut", default_supplier_id="nut")
    await update(world, changed, "owner_supplier_id", "default_supplier_id", by=seller())

    assert await proposed(world) == []
    assert await world.seen(BOLT) == []
    assert await world.seen(NUT) == ["anvil"]


async def test_what_needs_approval_is_hidden_until_the_seller_lets_it_in(world: World):
    await world.permit(MAIN, approval=True)
    await create(world, product(), product("lamp"), product("tape"))
    assert await world.seen() == []
    assert await world.looked_up("anvil", buyer_id="acme") == []
    await approve(world, "anvil", request_id="once")
    await approve(world, "anvil", request_id="once")
    await reject(world, "lamp", comment="A photo, please.")

    assert await world.seen() == ["anvil"]
    assert await world.seen(BOLT) == ["anvil", "lamp", "tape"]
    assert await proposed(world, BOLT) == [(MAIN, "lamp", "REJECTED", "A photo, please."), (MAIN, "tape", "PENDING", "")]
    assert await proposed(world, filter='state = "PENDING"') == [(MAIN, "tape", "PENDING", "")]
    await put(world, MAIN, "anvil", "lamp")
    assert await proposed(world) == [(MAIN, "lamp", "PENDING", ""), (MAIN, "tape", "PENDING", "")]
    await take(world, MAIN, "tape", "anvil")
    assert await proposed(world) == [(MAIN, "lamp", "PENDING", "")]
    assert await world.seen() == []
    await world.put(MAIN, "lamp")
    assert await proposed(world) == []
    assert await world.seen() == ["lamp"]
    await update(world, product("lamp", name="Bright lamp"), "name")
    assert await world.seen() == ["lamp"]


async def test_a_decision_names_every_product_that_is_not_proposed(world: World):
    await world.permit(MAIN, approval=True)
    await create(world, product())
    await world.make_products("sellers")
    wanted = [("assignments[1].product_id", "PROPOSAL_NOT_FOUND"), ("assignments[2].product_id", "PROPOSAL_NOT_FOUND")]
    assert await violations(approve(world, "anvil", "sellers", "nothing")) == wanted
    assert await violations(reject(world, "anvil", "sellers", "nothing")) == wanted
    assert await violations(reject(world, "anvil", comment="x" * 2_001)) == [("assignments[0].comment", "VALUE_OUT_OF_RANGE")]
    assert await proposed(world) == [(MAIN, "anvil", "PENDING", "")]


async def test_a_supplier_puts_its_products_into_categories_of_catalogs_that_it_is_admitted_to(world: World):
    await world.make_catalog("trade")
    await world.make_categories(category("tools"), category("forge", "trade"))
    await world.permit(MAIN)
    await create(world, product())

    async def shelve(*ids: str, by=BOLT) -> None:
        given = [placed_pb.CategoryProduct(category_id=id, product_id="anvil") for id in ids]
        await world.placing(by).AssignCategoryProducts(placing_pb.AssignCategoryProductsRequest(assignments=given))

    await shelve("tools")
    assert await violations(shelve("tools", "forge")) == [("assignments[1].category_id", "CATEGORY_NOT_FOUND")]
    assert await violations(put(world, "trade", "anvil")) == [("assignments[0].catalog_id", "CATALOG_NOT_FOUND")]
    page = await world.placing(BOLT).ListCategoryProducts(placing_pb.ListCategoryProductsRequest())
    assert [(a.category_id, a.product_id) for a in page.assignments] == [("tools", "anvil")]
    seen = await world.categories(BOLT).ListCategories(categories_pb.ListCategoriesRequest())
    assert [c.id for c in seen.categories] == ["tools"]


async def test_permissions_are_replaced_listed_and_ended(world: World):
    await world.permit(MAIN, "bolt", "name", approval=True)
    await world.permit(MAIN, "bolt", "name", "active")
    await world.permit(MAIN, "nut")
    listing = permissions_pb.ListSupplierPermissionsRequest()
    everyone = (await world.permissions().ListSupplierPermissions(listing)).assignments
    own = (await world.permissions(BOLT).ListSupplierPermissions(listing)).assignments
    assert [(p.supplier_id, p.needs_approval, list(p.writable_fields)) for p in everyone] == [
        ("bolt", False, ["name", "active"]),
        ("nut", False, []),
    ]
    assert [p.supplier_id for p in own] == ["bolt"]
    assert (await refused(world.permissions(buyer("FullAccess")).ListSupplierPermissions(listing))).reason == "PARTY_NOT_ADMITTED"
    await create(world, product())
    ended = [permitted_pb.SupplierPermissionKey(supplier_id="bolt", catalog_id=MAIN)]
    await world.permissions().UnassignSupplierPermissions(permissions_pb.UnassignSupplierPermissionsRequest(assignments=ended))
    assert (await refused(update(world, product(name="New"), "name"))).reason == "SUPPLIER_NOT_ADMITTED"
    assert await world.seen() == ["anvil"]


async def test_bad_permissions_are_named_all_at_once(world: World):
    bad = [
        permitted_pb.SupplierPermission(supplier_id="bolt", catalog_id="nowhere"),
        permitted_pb.SupplierPermission(supplier_id="bolt", catalog_id=MAIN),
    ]
    call = world.permissions().AssignSupplierPermissions
    with pytest.raises(WaybillError) as error:
        await call(permissions_pb.AssignSupplierPermissionsRequest(assignments=bad))
    assert fields_of(error) == [("assignments[0].catalog_id", "CATALOG_NOT_FOUND")]
    bad[1].writable_fields.extend(["supplier_ids"])
    bad[0].supplier_id = ""
    with pytest.raises(WaybillError) as error:
        await call(permissions_pb.AssignSupplierPermissionsRequest(assignments=bad))
    assert fields_of(error) == [
        ("assignments[0].supplier_id", "FIELD_REQUIRED"),
        ("assignments[1].writable_fields[0]", "FIELD_INVALID"),
    ]


async def test_a_catalog_that_suppliers_are_admitted_to_stays(world: World):
    await world.make_catalog("trade")
    await world.permit("trade")
    deleting = world.catalogs().DeleteCatalog(catalogs_pb.DeleteCatalogRequest(catalog_id="trade"))
    assert (await refused(deleting)).metadata["used_by"] == "supplier: 1 (bolt)"


async def test_a_thousand_products_of_a_supplier_cost_as_many_statements_as_one_and_bad_rows_are_all_named(world: World):
    await world.make_catalog("watched", takes_new_products=True)
    await world.permit(MAIN)
    await world.permit("watched", approval=True)

    async def statements(act) -> int:
        before = world.app.statements()
        await act
        return world.app.statements() - before

    one, many = ["one"], [f"p{i}" for i in range(1_000)]
    for act in (
        lambda ids: create(world, *(product(id) for id in ids)),
        lambda ids: put(world, "watched", *ids),
        lambda ids: reject(world, *ids, catalog="watched"),
        lambda ids: approve(world, *ids, catalog="watched"),
        lambda ids: take(world, MAIN, *ids),
    ):
        assert await statements(act(one)) == await statements(act(many))
    rows = [product(f"q{i}", tax_class="food" if i % 100 == 7 else "") for i in range(1_000)]
    assert await violations(create(world, *rows)) == sorted(
        (f"products[{i}].tax_class", "FIELD_NOT_ADMITTED") for i in range(7, 1_000, 100)
    )
    assert ("products", "TOO_MANY_ITEMS") in await violations(create(world, *rows, product("more")))


async def test_who_proposes_while_the_seller_puts_it_there_does_not_leave_both(world: World):
    await world.permit(MAIN, approval=True)
    names = [f"p{i}" for i in range(20)]
    await create(world, *(product(id) for id in names))
    for _ in range(5):
        await asyncio.gather(
            put(world, MAIN, *names), world.put(MAIN, *reversed(names)), put(world, MAIN, *names), world.take(MAIN, *names)
        )
    # That no product both stands there and is proposed is seen by the check at the end.
    there = {product for _, product in await standing(world)} | {product for _, product, _, _ in await proposed(world)}
    assert there <= set(names)


async def test_repeats_of_a_request_make_products_once(world: World):
    await world.permit(MAIN)
    first = await create(world, product("", name="Anvil"), request_id="r1")
    assert first == await create(world, product("", name="Anvil"), request_id="r1")
    assert len(await world.seen()) == 1
    assert (await refused(create(world, product("x"), request_id="r1"))).kind is Kind.INVALID
