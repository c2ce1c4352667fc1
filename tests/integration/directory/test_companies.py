import asyncio

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from services import roles
from tests.support.principals import buyer, refusal_of, seller, supplier
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import seller_service_pb2 as sellers
from waybill.directory.v1 import supplier_service_pb2 as suppliers


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


def noted(error):
    return [(f.field, f.reason) for f in error.fields]


def acme(**more):
    return buyers.Buyer(**{"id": "acme", "name": "Acme", "active": True, "currency": "USD", **more})


async def test_a_buyer_is_read_as_it_was_written(world):
    wanted = acme(restrict_addresses=True)
    wanted.xp.update({"team": {"lead": "Ann"}, "size": 7})
    made = (await world.admin.buyers.CreateBuyer(buyers.CreateBuyerRequest(buyer=wanted))).buyer
    assert (made.etag, made.currency, made.restrict_addresses, made.xp) == ("1", "USD", True, wanted.xp)
    assert made.create_time.ToDatetime(tzinfo=world.clock.now().tzinfo) == world.clock.now()
    assert (await world.admin.buyers.GetBuyer(buyers.GetBuyerRequest(buyer_id="acme"))).buyer == made


async def test_everything_wrong_with_a_batch_is_reported_at_once_and_nothing_is_stored(world):
    batch = buyers.BatchCreateBuyersRequest(
        buyers=[
            acme(),
            acme(id="bad id"),
            acme(id="x\0"),
            acme(id="b", name=""),
            acme(id="c", currency="XYZ"),
            acme(id="d", currency=""),
            acme(),
        ]
    )
    error = await refused(world.admin.buyers.BatchCreateBuyers(batch))
    assert (error.kind, error.reason) == (Kind.INVALID, "INVALID_REQUEST")
    assert sorted(noted(error)) == [
        ("buyers[1].id", "ID_INVALID"),
        ("buyers[2].id", "ID_INVALID"),
        ("buyers[3].name", "FIELD_REQUIRED"),
        ("buyers[4].currency", "FIELD_INVALID"),
        ("buyers[5].currency", "FIELD_REQUIRED"),
        ("buyers[6].id", "DUPLICATE_ITEM"),
    ]
    assert not (await world.admin.buyers.ListBuyers(buyers.ListBuyersRequest())).buyers


async def test_of_batches_at_the_same_time_the_losers_hear_which_id_was_taken(world):
    batches = [buyers.BatchCreateBuyersRequest(buyers=[acme(id=f"own{i}"), acme(id="shared")]) for i in range(6)]
    made = await asyncio.gather(*(world.admin.buyers.BatchCreateBuyers(b) for b in batches), return_exceptions=True)
    errors = [error for error in made if isinstance(error, WaybillError)]
    assert len(errors) == 5
    assert {(error.kind, error.metadata["id"]) for error in errors} == {(Kind.EXISTS, "shared")}


async def test_a_taken_id_is_refused_with_the_whole_batch(world):
    await world.companies()
    batch = buyers.BatchCreateBuyersRequest(buyers=[acme(id="new"), acme()])
    error = await refused(world.admin.buyers.BatchCreateBuyers(batch))
    assert (error.kind, error.metadata) == (Kind.EXISTS, {"resource": "buyer", "id": "acme"})
    error = await refused(world.admin.buyers.GetBuyer(buyers.GetBuyerRequest(buyer_id="new")))
    assert error.kind is Kind.MISSING


async def test_an_update_changes_its_fields_and_not_the_currency(world):
    await world.companies()
    change = buyers.UpdateBuyerRequest(
        buyer=buyers.Buyer(id="acme", name="Acme Inc", etag="1"), update_mask=FieldMask(paths=["name", "active"])
    )
    made = (await world.admin.buyers.UpdateBuyer(change)).buyer
    assert (made.name, made.active, made.currency, made.etag) == ("Acme Inc", False, "USD", "2")
    error = await refused(world.admin.buyers.UpdateBuyer(change))
    assert (error.kind, error.reason, error.metadata["etag"]) == (Kind.STALE, "ETAG_MISMATCH", "2")
    other = buyers.UpdateBuyerRequest(buyer=buyers.Buyer(id="acme", currency="EUR"))
    assert noted(await refused(world.admin.buyers.UpdateBuyer(other))) == [("buyer.currency", "FIELD_INVALID")]


async def test_the_same_request_id_has_one_effect(world):
    request = buyers.CreateBuyerRequest(buyer=acme(id=""), request_id="r1")
    first = (await world.admin.buyers.CreateBuyer(request)).buyer
    assert (await world.admin.buyers.CreateBuyer(request)).buyer == first
    assert len((await world.admin.buyers.ListBuyers(buyers.ListBuyersRequest())).buyers) == 1
    error = await refused(world.admin.buyers.CreateBuyer(buyers.CreateBuyerRequest(buyer=acme(name="Other"), request_id="r1")))
    assert error.reason == "REQUEST_ID_REUSED"
    change = buyers.UpdateBuyerRequest(buyer=buyers.Buyer(id=first.id, name="Acme Inc"), request_id="r2")
    for _ in range(2):
        assert (await world.admin.buyers.UpdateBuyer(change)).buyer.etag == "2"


async def test_users_see_their_own_company_and_the_seller_all(world):
    await world.companies()
    for caller, seen in ((seller(roles.SHOPPER), ["acme", "globex"]), (buyer(), ["acme"]), (supplier(), [])):
        page = await world.calls(caller).buyers.ListBuyers(buyers.ListBuyersRequest(order_by="id"))
        assert [b.id for b in page.buyers] == seen
    for caller, seen in ((seller(), ["bolt"]), (buyer(), []), (supplier(), ["bolt"])):
        page = await world.calls(caller).suppliers.ListSuppliers(suppliers.ListSuppliersRequest())
        assert [s.id for s in page.suppliers] == seen
    for id in ("globex", "nobody"):
        error = await refused(world.calls(buyer()).buyers.GetBuyer(buyers.GetBuyerRequest(buyer_id=id)))
        assert (error.kind, error.metadata["id"]) == (Kind.MISSING, id)


@pytest.mark.parametrize("id", ["", "bad id", "x\0", "x" * 101, "ünï"])
async def test_what_is_no_id_is_reported_as_such(world, id):
    error = await refused(world.admin.buyers.GetBuyer(buyers.GetBuyerRequest(buyer_id=id)))
    assert noted(error) == [("buyer_id", "ID_INVALID" if id else "FIELD_REQUIRED")]
    error = await refused(world.admin.suppliers.GetSupplier(suppliers.GetSupplierRequest(supplier_id=id)))
    assert [f.field for f in error.fields] == ["supplier_id"]


async def test_only_the_seller_writes_companies_and_only_with_the_role(world):
    await world.companies()
    for caller in (seller(roles.USER_ADMIN), buyer(roles.BUYER_ADMIN), buyer(roles.FULL_ACCESS)):
        call = world.calls(caller).buyers.CreateBuyer(buyers.CreateBuyerRequest(buyer=acme(id="new")))
        error = await refused(call)
        assert (error.reason, error.metadata) == refusal_of(caller, roles.BUYER_ADMIN)
    change = suppliers.UpdateSupplierRequest(supplier=suppliers.Supplier(id="bolt", name="Bolt Ltd"))
    error = await refused(world.calls(supplier(roles.SUPPLIER_ADMIN)).suppliers.UpdateSupplier(change))
    assert error.metadata == {"parties": "SELLER"}
    made = await world.calls(seller(roles.SUPPLIER_ADMIN)).suppliers.UpdateSupplier(change)
    assert made.supplier.name == "Bolt Ltd"
    error = await refused(world.calls(None).buyers.ListBuyers(buyers.ListBuyersRequest()))
    assert error.reason == "TOKEN_MISSING"


async def test_a_list_is_paged_filtered_and_sorted(world):
    made = [acme(id=f"b{i:02}", name=f"Buyer {i % 3}", active=i % 2 == 0) for i in range(25)]
    made[7].xp.update({"tier": "gold"})
    await world.admin.buyers.BatchCreateBuyers(buyers.BatchCreateBuyersRequest(buyers=made))
    seen, token = [], ""
    while True:
        page = await world.admin.buyers.ListBuyers(
            buyers.ListBuyersRequest(page_size=10, page_token=token, order_by="name, id desc", filter="active = true")
        )
        seen += [b.id for b in page.buyers]
        token = page.next_page_token
        if not token:
            break
    live = [b for b in made if b.active]
    assert seen == [b.id for b in sorted(sorted(live, key=lambda b: b.id, reverse=True), key=lambda b: b.name)]
    gold = await world.admin.buyers.ListBuyers(buyers.ListBuyersRequest(filter='xp.tier = "gold"'))
    assert [b.id for b in gold.buyers] == ["b07"]


async def test_the_seller_is_one_and_is_read_by_everyone(world):
    for caller in (seller(), buyer(), supplier()):
        found = (await world.calls(caller).sellers.GetSeller(sellers.GetSellerRequest())).seller
        assert (found.id, found.name, found.etag) == ("seller", "Seller", "1")
    change = sellers.UpdateSellerRequest(seller=sellers.Seller(id="seller", name="Waybill Market", etag="1"))
    change.seller.xp.update({"vat": "123"})
    for caller in (buyer(roles.FULL_ACCESS), seller(roles.BUYER_ADMIN)):
        error = await refused(world.calls(caller).sellers.UpdateSeller(change))
        assert (error.reason, error.metadata) == refusal_of(caller, roles.FULL_ACCESS)
    made = (await world.admin.sellers.UpdateSeller(change)).seller
    assert (made.name, made.etag, dict(made.xp)) == ("Waybill Market", "2", {"vat": "123"})
    assert (await refused(world.admin.sellers.UpdateSeller(change))).reason == "ETAG_MISMATCH"
