import pytest
from google.protobuf.duration_pb2 import Duration

from libs.errors import Kind, WaybillError
from tests.integration.directory.world import ACME, BOLT, GLOBEX, SELLER, World, assignment, entry, user
from tests.support.principals import seller
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import ordering_context_service_pb2 as pb
from waybill.directory.v1 import ordering_context_service_pb2_grpc as pb_grpc
from waybill.type.v1.party_pb2 import PARTY_KIND_SUPPLIER, Party


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


def ask(user_id="anna", buyer_id="acme", client_id="shop", addresses=()):
    return pb.GetOrderingContextRequest(buyer_id=buyer_id, user_id=user_id, client_id=client_id, address_ids=addresses)


async def small(world: World, restricted: bool = False) -> None:
    await world.companies(restricted)
    await world.people(user("anna", first_name="Anna", last_name="A", email="a@x"), user("bob"), user("gil", GLOBEX))
    policy = pb.OrderingPolicy(
        auto_forward=pb.AUTO_FORWARD_ALL,
        payment_coverage=pb.PAYMENT_COVERAGE_NONE,
        require_ship_methods=True,
        sourcing_strategy="fewest_parcels",
    )
    await world.client(policy=policy)
    await world.book(entry("hq"), entry("dock"), entry("attic"), entry("hq", GLOBEX), entry("dock", BOLT))
    await world.assign(assignment("hq", billing=True), assignment("dock", "anna"), assignment("attic", "bob"))


async def test_everything_about_an_order_comes_in_one_call(world):
    await small(world)
    found = await world.contexts.GetOrderingContext(ask(addresses=["attic", "nowhere", "hq", "attic", "x\0"]))
    assert found.seller_id == "seller"
    assert found.buyer == pb.OrderingBuyer(id="acme", name="Acme", active=True, currency="USD")
    assert found.user == pb.OrderingUser(id="anna", username="anna", first_name="Anna", last_name="A", email="a@x", active=True)
    assert (found.policy.auto_forward, found.policy.payment_coverage) == (pb.AUTO_FORWARD_ALL, pb.PAYMENT_COVERAGE_NONE)
    assert (found.policy.require_ship_methods, found.policy.sourcing_strategy) == (True, "fewest_parcels")
    assert (found.default_shipping_address.id, found.default_billing_address.id) == ("dock", "hq")
    assert [u.address.id for u in found.addresses] == ["attic", "hq"]
    assert list(found.missing_address_ids) == ["nowhere", "x\0"]
    assert found.read_time.ToDatetime(tzinfo=world.clock.now().tzinfo) == world.clock.now()


async def test_missing_parts_are_absent_and_no_error(world):
    await small(world)
    found = await world.contexts.GetOrderingContext(ask("nobody", "nobody", "nobody", ["hq"]))
    assert not found.HasField("buyer")
    assert not found.HasField("user")
    assert not found.HasField("default_shipping_address")
    day = Duration(seconds=86_400)
    assert found.policy == pb.OrderingPolicy(
        auto_forward=pb.AUTO_FORWARD_NONE,
        payment_coverage=pb.PAYMENT_COVERAGE_TOTAL,
        estimate_valid=day,
        capture=pb.PAYMENT_CAPTURE_MANUAL,
    )
    assert found.channel_active
    assert list(found.missing_address_ids) == ["hq"]
    # A user of another company is none of this one.
    assert not (await world.contexts.GetOrderingContext(ask("gil"))).HasField("user")
    company = await world.contexts.GetOrderingContext(ask(""))
    assert company.default_shipping_address.id == "hq"


async def test_a_channel_that_is_switched_off_is_shown_with_its_policy(world):
    await small(world)
    await world.client("closed", active=False, policy=pb.OrderingPolicy(estimate_valid=Duration(seconds=60)))
    found = await world.contexts.GetOrderingContext(ask(client_id="closed"))
    assert (found.channel_active, found.policy.estimate_valid.seconds) == (False, 60)


async def test_a_channel_is_open_to_the_buyers_that_it_admits_and_to_all_where_the_seller_orders(world):
    await small(world)
    for id, admits in (
        ("closed", {"allow_any_buyer": False}),
        ("others", {"allow_any_buyer": False, "buyer_ids": ["globex"], "allow_any_supplier": True}),
        ("own", {"allow_any_buyer": False, "buyer_ids": ["acme"]}),
        ("desk", {"allow_any_buyer": False, "allow_seller": True}),
    ):
        await world.client(id, **admits)
    found = {
        id: (await world.contexts.GetOrderingContext(ask(client_id=id))).channel_closed_to_buyer
        for id in ("shop", "closed", "others", "own", "desk", "nobody")
    }
    assert found == {"shop": False, "closed": True, "others": True, "own": False, "desk": False, "nobody": False}


async def test_a_restricted_buyer_orders_to_assigned_addresses_only(world):
    await small(world, restricted=True)
    found = await world.contexts.GetOrderingContext(ask(addresses=["attic", "dock", "hq"]))
    assert found.buyer.restrict_addresses
    assert ([u.address.id for u in found.addresses], list(found.missing_address_ids)) == (["dock", "hq"], ["attic"])
    assert [(u.shipping, u.billing) for u in found.addresses] == [(True, False), (True, True)]
    assert found.default_shipping_address.id == "dock"
    bob = await world.contexts.GetOrderingContext(ask("bob", addresses=["attic", "dock"]))
    assert ([u.address.id for u in bob.addresses], list(bob.missing_address_ids)) == (["attic"], ["dock"])


async def test_two_defaults_at_one_level_are_none(world):
    await small(world)
    await world.assign(assignment("attic", "anna"))
    found = await world.contexts.GetOrderingContext(ask())
    assert not found.HasField("default_shipping_address")
    assert found.default_billing_address.id == "hq"


async def test_the_number_of_statements_does_not_depend_on_the_addresses(world):
    await small(world)
    await world.book(*(entry(f"a{i}") for i in range(999)))

    async def counted(*ids):
        before = world.served.statements
        found = await world.contexts.GetOrderingContext(ask(addresses=ids))
        assert len(found.addresses) == len(ids)
        return world.served.statements - before

    await counted("hq")
    one, many = await counted("hq"), await counted("hq", *(f"a{i}" for i in range(999)))
    assert one == many <= 6
    too_many = await refused(world.contexts.GetOrderingContext(ask(addresses=[f"a{i}" for i in range(10_001)])))
    assert [(f.field, f.reason) for f in too_many.fields] == [("address_ids", "TOO_MANY_ITEMS")]


async def test_what_is_no_id_is_reported_as_such(world):
    error = await refused(world.contexts.GetOrderingContext(ask("a b", "", "x\0")))
    assert sorted((f.field, f.reason) for f in error.fields) == [
        ("buyer_id", "FIELD_REQUIRED"),
        ("client_id", "ID_INVALID"),
        ("user_id", "ID_INVALID"),
    ]


async def test_addresses_of_any_book_are_read_by_the_services_that_need_them(world):
    await small(world)
    refs = [
        (ACME, "hq"),
        (GLOBEX, "hq"),
        (BOLT, "dock"),
        (BOLT, "hq"),
        (SELLER, "hq"),
        (Party(id="acme"), "hq"),
        (ACME, "x\0"),
        (Party(kind=PARTY_KIND_SUPPLIER, id="x\0"), "dock"),
    ]
    request = pb.BatchGetPartyAddressesRequest(refs=[pb.PartyAddressRef(party=p, address_id=a) for p, a in refs])
    for service in ("fulfillment", "order"):
        found = await world.service(service).BatchGetPartyAddresses(request)
        assert sorted((a.party.id, a.address.id) for a in found.addresses) == [("acme", "hq"), ("bolt", "dock"), ("globex", "hq")]
    nothing = await world.service("order").BatchGetPartyAddresses(pb.BatchGetPartyAddressesRequest())
    assert not nothing.addresses


async def test_only_services_ask_and_only_the_order_service_for_contexts(world):
    users = world.served.stub(pb_grpc.OrderingContextServiceStub, seller())
    for call, reason in (
        (users.GetOrderingContext(ask()), "SERVICE_ONLY"),
        (users.BatchGetPartyAddresses(pb.BatchGetPartyAddressesRequest()), "SERVICE_ONLY"),
        (world.service("pricing").GetOrderingContext(ask()), "SERVICE_NOT_ADMITTED"),
        (world.service("pricing").BatchGetPartyAddresses(pb.BatchGetPartyAddressesRequest()), "SERVICE_NOT_ADMITTED"),
    ):
        error = await refused(call)
        assert (error.kind, error.reason) == (Kind.DENIED, reason)


async def test_a_policy_that_no_order_service_understands_is_refused(world):
    await world.companies()
    made = clients.ApiClient(
        name="Shop",
        policy=pb.OrderingPolicy(
            payment_coverage=7,
            sourcing_strategy="magic",
            estimate_valid=Duration(nanos=5),
            capture=3,
            sourcing_stages=["lowest_freight", "luck", "priority", "priority"],
        ),
    )
    error = await refused(world.admin.clients.CreateApiClient(clients.CreateApiClientRequest(api_client=made)))
    assert sorted((f.field, f.reason) for f in error.fields) == [
        ("api_client.policy.capture", "FIELD_INVALID"),
        ("api_client.policy.estimate_valid", "VALUE_OUT_OF_RANGE"),
        ("api_client.policy.payment_coverage", "FIELD_INVALID"),
        ("api_client.policy.sourcing_stages", "FIELD_INVALID"),
        ("api_client.policy.sourcing_stages", "FIELD_INVALID"),
        ("api_client.policy.sourcing_stages[1]", "FIELD_INVALID"),
        ("api_client.policy.sourcing_stages[3]", "DUPLICATE_ITEM"),
        ("api_client.policy.sourcing_strategy", "FIELD_INVALID"),
    ]
