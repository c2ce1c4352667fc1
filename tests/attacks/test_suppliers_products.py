"""A supplier with every role wants to sell what is another's, to set what it may not, and to be let in by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.decimal_pb2 import Decimal

from services.host.sample.marketplace import PASSWORD, PORTAL, party
from tests.attacks.tally import Tally
from tests.attacks.target import EVERYTHING, Target
from waybill.catalog.v1 import catalog_pb2, category_pb2, product_assignment_pb2, product_pb2
from waybill.catalog.v1 import catalog_service_pb2 as catalogs
from waybill.catalog.v1 import category_service_pb2 as categories
from waybill.catalog.v1 import product_assignment_service_pb2 as placing
from waybill.catalog.v1 import product_proposal_pb2 as proposal
from waybill.catalog.v1 import product_proposal_service_pb2 as proposals
from waybill.catalog.v1 import product_service_pb2 as products
from waybill.catalog.v1 import supplier_permission_pb2 as permission
from waybill.catalog.v1 import supplier_permission_service_pb2 as permissions
from waybill.directory.v1 import supplier_service_pb2, user_service_pb2
from waybill_client import AsyncWaybill, WaybillError

FAIR, CLOSED, SHELF = "sp-fair", "sp-closed", "sp-shelf"
"""A catalog that suppliers may propose for, one that none is admitted to, and a category of the first."""
THEIRS, SELLERS, MINE, NOTHING = "sp-theirs", "anvil", "sp-mine", "sp-nothing"


@dataclass(frozen=True, slots=True)
class Rivals:
    """Two suppliers, each with everything that a supplier can hold, and the seller."""

    evil: AsyncWaybill
    honest: AsyncWaybill
    owner: AsyncWaybill
    target: Target


async def _vendor(target: Target, supplier_id: str) -> AsyncWaybill:
    market = target.callers.market
    made = supplier_service_pb2.Supplier(id=supplier_id, name=supplier_id, active=True)
    await market.people.owner.suppliers.CreateSupplier(supplier_service_pb2.CreateSupplierRequest(supplier=made))
    name = f"vendor-of-{supplier_id}"
    user = user_service_pb2.User(
        id=name, username=name, party=party("SUPPLIER", supplier_id), active=True, password=PASSWORD, roles=sorted(EVERYTHING)
    )
    await market.people.owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=user))
    return await AsyncWaybill.connect(market.address, PORTAL, username=name, password=PASSWORD)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rivals(target_market: Target) -> AsyncIterator[Rivals]:
    """Each has a product that waits for the seller."""
    owner = target_market.callers.market.people.owner
    for id in (FAIR, CLOSED):
        opened = catalog_pb2.Catalog(id=id, name=id, active=True, open_to_all_buyers=True)
        await owner.catalogs.CreateCatalog(catalogs.CreateCatalogRequest(catalog=opened))
    shelf = category_pb2.Category(id=SHELF, catalog_id=FAIR, name="Shelf", active=True)
    await owner.categories.CreateCategory(categories.CreateCategoryRequest(category=shelf))
    evil, honest = [await _vendor(target_market, id) for id in ("sp-evil", "sp-honest")]
    given = [
        permission.SupplierPermission(supplier_id=id, catalog_id=FAIR, needs_approval=True) for id in ("sp-evil", "sp-honest")
    ]
    await owner.supplier_permissions.AssignSupplierPermissions(permissions.AssignSupplierPermissionsRequest(assignments=given))
    for vendor, id in ((evil, MINE), (honest, THEIRS)):
        await vendor.products.CreateProduct(
            products.CreateProductRequest(product=product_pb2.Product(id=id, name=id, active=True))
        )
        await vendor.product_assignments.AssignCatalogProducts(put(FAIR, id))
    yield Rivals(evil, honest, owner, target_market)
    await evil.close()
    await honest.close()


def put(catalog: str, *ids: str) -> placing.AssignCatalogProductsRequest:
    """Into a catalog."""
    rows = [product_assignment_pb2.CatalogProduct(catalog_id=catalog, product_id=id) for id in ids]
    return placing.AssignCatalogProductsRequest(assignments=rows)


async def heard(call: Awaitable[Any]) -> list[str]:
    """The reasons of a refusal, whatever the fields; nothing of what is answered."""
    try:
        await call
    except WaybillError as error:
        return sorted({field.reason for field in error.fields}) or [error.reason]
    return []


async def refused(call: Awaitable[Any]) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def waiting(who: AsyncWaybill) -> set[str]:
    page = await who.product_proposals.ListProductProposals(proposals.ListProductProposalsRequest())
    return {found.product_id for found in page.proposals}


async def test_what_is_anothers_is_not_there_to_be_changed_sold_or_taken_away(rivals: Rivals, tally: Tally) -> None:
    evil = rivals.evil
    refusals: dict[tuple[str, ...], list[str]] = {}
    before = await rivals.owner.products.BatchGetProducts(products.BatchGetProductsRequest(product_ids=[THEIRS, SELLERS]))
    for id in (THEIRS, SELLERS, NOTHING):
        changed = product_pb2.Product(id=id, name="Mine now", owner_supplier_id="sp-evil", default_supplier_id="sp-evil")
        for paths in (["name"], ["active"], ["xp"]):
            request = products.UpdateProductRequest(product=changed, update_mask=FieldMask(paths=paths))
            assert await heard(evil.products.UpdateProduct(request)) == ["RESOURCE_NOT_FOUND"], (id, paths)
        for paths in (["owner_supplier_id"], ["default_supplier_id", "owner_supplier_id"], []):
            request = products.UpdateProductRequest(product=changed, update_mask=FieldMask(paths=paths))
            said = await heard(evil.products.UpdateProduct(request))
            assert said == refusals.setdefault(tuple(paths), said) != [], (id, paths)
        assert await heard(evil.products.DeleteProduct(products.DeleteProductRequest(product_id=id))) == ["RESOURCE_NOT_FOUND"]
        assert await heard(evil.products.GetProduct(products.GetProductRequest(product_id=id))) == ["RESOURCE_NOT_FOUND"]
        for call in (
            evil.product_assignments.AssignCatalogProducts(put(FAIR, id)),
            evil.product_assignments.AssignCatalogProducts(put(FAIR, MINE, id)),
        ):
            assert await heard(call) == ["PRODUCT_NOT_FOUND"], id
        shelved = [product_assignment_pb2.CategoryProduct(category_id=SHELF, product_id=id)]
        shelving = placing.AssignCategoryProductsRequest(assignments=shelved)
        assert await heard(evil.product_assignments.AssignCategoryProducts(shelving)) == ["PRODUCT_NOT_FOUND"]
        taken = [product_assignment_pb2.CatalogProduct(catalog_id=c, product_id=id) for c in (FAIR, "main")]
        # Whatever is named: of what is another's nothing goes, and nothing is said.
        await evil.product_assignments.UnassignCatalogProducts(placing.UnassignCatalogProductsRequest(assignments=taken))
        tally.count("products of others, changed, deleted, placed or taken away by a supplier", 12)
    after = await rivals.owner.products.BatchGetProducts(products.BatchGetProductsRequest(product_ids=[THEIRS, SELLERS]))
    assert sorted(after.products, key=str) == sorted(before.products, key=str)
    standing = await rivals.owner.product_assignments.ListCatalogProducts(
        placing.ListCatalogProductsRequest(filter=f'product_id = "{SELLERS}"')
    )
    assert "main" in {found.catalog_id for found in standing.assignments}
    assert {THEIRS, MINE} <= await waiting(rivals.owner)
    assert await waiting(evil) == {MINE}


async def test_a_batch_with_one_product_that_is_not_its_own_makes_none(rivals: Rivals, tally: Tally) -> None:
    fine = product_pb2.Product(id="sp-fine", name="Fine")
    bad = {
        "the owner of another": product_pb2.Product(id="sp-b", name="B", owner_supplier_id="sp-honest"),
        "delivered by another": product_pb2.Product(id="sp-b", name="B", default_supplier_id="northforge"),
        "others who may deliver": product_pb2.Product(id="sp-b", name="B", supplier_ids=["northforge"]),
        "a tax class": product_pb2.Product(id="sp-b", name="B", tax_class="food"),
        "no name": product_pb2.Product(id="sp-b"),
        "a weight that is none": product_pb2.Product(id="sp-b", name="B", weight_kg=Decimal(value="-1")),
        "the id of another's": product_pb2.Product(id=THEIRS, name="B"),
        "the same id twice": product_pb2.Product(id="sp-fine", name="B"),
    }
    for name, product in bad.items():
        request = products.BatchCreateProductsRequest(products=[fine, product])
        assert await heard(rivals.evil.products.BatchCreateProducts(request)), name
        missing = await rivals.owner.products.BatchGetProducts(products.BatchGetProductsRequest(product_ids=["sp-fine", "sp-b"]))
        assert sorted(missing.missing_product_ids) == ["sp-b", "sp-fine"], name
    tally.count("batches of a supplier with a row that is not its own to make", len(bad))


async def test_no_supplier_lets_itself_in(rivals: Rivals, tally: Tally) -> None:
    evil = rivals.evil
    mine = permission.SupplierPermission(supplier_id="sp-evil", catalog_id=FAIR)
    approved = [proposal.ProductApproval(catalog_id=FAIR, product_id=MINE)]
    rejected = [proposal.ProductRejection(catalog_id=FAIR, product_id=THEIRS, comment="No.")]
    shown = [product_assignment_pb2.ProductAssignment(product_id=MINE, buyer_id="acme")]
    for call in (
        evil.product_proposals.ApproveProducts(proposals.ApproveProductsRequest(assignments=approved)),
        evil.product_proposals.RejectProducts(proposals.RejectProductsRequest(assignments=rejected)),
        evil.supplier_permissions.AssignSupplierPermissions(permissions.AssignSupplierPermissionsRequest(assignments=[mine])),
        evil.product_assignments.AssignProducts(placing.AssignProductsRequest(assignments=shown)),
        evil.catalogs.UpdateCatalog(catalogs.UpdateCatalogRequest(catalog=catalog_pb2.Catalog(id=FAIR, takes_new_products=True))),
        evil.categories.UpdateCategory(
            categories.UpdateCategoryRequest(category=category_pb2.Category(id=SHELF, catalog_id="main"))
        ),
    ):
        assert await heard(call) == ["PARTY_NOT_ADMITTED"]
    # Neither by the shelf, nor by another catalog, nor by asking again, nor by beginning anew.
    shelved = [product_assignment_pb2.CategoryProduct(category_id=SHELF, product_id=MINE)]
    request = placing.AssignCategoryProductsRequest(assignments=shelved)
    assert await heard(evil.product_assignments.AssignCategoryProducts(request)) == ["PRODUCT_NOT_IN_CATALOG"]
    for catalog in (CLOSED, "main", "sp-no-catalog"):
        assert await heard(evil.product_assignments.AssignCatalogProducts(put(catalog, MINE))) == ["CATALOG_NOT_FOUND"]
    for _ in range(3):
        await evil.product_assignments.AssignCatalogProducts(put(FAIR, MINE))
    ada = rivals.target.callers.market.people.ada
    assert await heard(ada.products.GetProduct(products.GetProductRequest(product_id=MINE))) == ["RESOURCE_NOT_FOUND"]
    assert MINE in await waiting(rivals.owner)
    tally.count("suppliers who let themselves in", 13)


async def test_of_other_suppliers_nothing_is_listed_whatever_is_asked_for(rivals: Rivals, tally: Tally) -> None:
    evil = rivals.evil
    for filter in ("", f'product_id = "{THEIRS}"', 'NOT product_id = "x"', f'catalog_id = "{FAIR}"'):
        for token in ("", "bm8"):
            request = proposals.ListProductProposalsRequest(filter=filter, page_token=token)
            if token:
                assert await heard(evil.product_proposals.ListProductProposals(request)) == ["PAGE_TOKEN_INVALID"]
            else:
                found = (await evil.product_proposals.ListProductProposals(request)).proposals
                assert {each.product_id for each in found} <= {MINE}
        page = await evil.product_assignments.ListCatalogProducts(placing.ListCatalogProductsRequest(filter=filter))
        assert not page.assignments
        tally.count("lists of suppliers about others", 3)
    listed = await evil.products.ListProducts(products.ListProductsRequest(filter='NOT id = "x"', include_total=True))
    assert ({found.id for found in listed.products}, listed.total_size) == ({MINE}, 1)
    given = await evil.supplier_permissions.ListSupplierPermissions(permissions.ListSupplierPermissionsRequest())
    assert {found.supplier_id for found in given.assignments} == {"sp-evil"}
    seen = await evil.catalogs.ListCatalogs(catalogs.ListCatalogsRequest())
    assert {found.id for found in seen.catalogs} == {FAIR}
    mine = await evil.product_proposals.ListProductProposals(proposals.ListProductProposalsRequest(page_size=1))
    assert not mine.next_page_token
    tally.count("lists of suppliers about others", 3)


async def test_whoever_lost_its_permission_or_is_gone_keeps_no_way_in(rivals: Rivals, tally: Tally) -> None:
    lost = await _vendor(rivals.target, "sp-lost")
    given = permission.SupplierPermission(supplier_id="sp-lost", catalog_id=FAIR)
    await rivals.owner.supplier_permissions.AssignSupplierPermissions(
        permissions.AssignSupplierPermissionsRequest(assignments=[given])
    )
    product = product_pb2.Product(id="sp-of-lost", name="Lost", active=True)
    await lost.products.CreateProduct(products.CreateProductRequest(product=product))
    ended = [permission.SupplierPermissionKey(supplier_id="sp-lost", catalog_id=FAIR)]
    await rivals.owner.supplier_permissions.UnassignSupplierPermissions(
        permissions.UnassignSupplierPermissionsRequest(assignments=ended)
    )
    another = product_pb2.Product(id="sp-of-lost-2", name="Lost")
    for call in (
        lost.products.CreateProduct(products.CreateProductRequest(product=another)),
        lost.products.UpdateProduct(products.UpdateProductRequest(product=product, update_mask=FieldMask(paths=["name"]))),
        lost.product_assignments.AssignCatalogProducts(put(FAIR, "sp-of-lost")),
    ):
        assert await heard(call) == ["SUPPLIER_NOT_ADMITTED"]
    supplier = supplier_service_pb2.Supplier(id="sp-lost", active=False)
    mask = FieldMask(paths=["active"])
    await rivals.owner.suppliers.UpdateSupplier(supplier_service_pb2.UpdateSupplierRequest(supplier=supplier, update_mask=mask))
    request = products.DeleteProductRequest(product_id="sp-of-lost")
    assert (await refused(lost.products.DeleteProduct(request))).reason in ("TOKEN_REVOKED", "TOKEN_INVALID", "GRANT_INVALID")
    await lost.close()
    tally.count("suppliers who are admitted no longer", 4)
