import pytest
import sqlalchemy as sa
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from libs.db import Database
from libs.errors import Kind, WaybillError
from services import roles
from services.directory.adapters.db.tables import REQUESTS
from tests.integration.directory.world import PASSWORD, SELLER, user
from tests.support.principals import buyer, refusal_of, seller
from waybill.directory.v1 import api_client_service_pb2 as pb
from waybill.directory.v1 import ordering_context_service_pb2 as policies
from waybill.directory.v1 import token_service_pb2 as tokens

ADMIN = roles.API_CLIENT_ADMIN


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


def noted(error):
    return sorted((f.field, f.reason) for f in error.fields)


def client(**more):
    return pb.ApiClient(**{"id": "shop", "name": "Shop", "active": True, "allow_any_buyer": True, **more})


def create(made, request_id=""):
    return pb.CreateApiClientRequest(api_client=made, request_id=request_id)


async def test_a_client_is_read_as_it_was_written(world):
    await world.companies()
    await world.people()
    wanted = client(
        access_token_minutes=15,
        refresh_token_minutes=524_160,
        anonymous_token_minutes=10_080,
        buyer_ids=["acme"],
        supplier_ids=["bolt"],
        roles=[roles.SHOPPER],
        default_user_id="anna",
        policy=policies.OrderingPolicy(auto_forward=policies.AUTO_FORWARD_ALL, sourcing_strategy="priority"),
    )
    made = (await world.admin.clients.CreateApiClient(create(wanted))).api_client
    for field in pb.ApiClient.DESCRIPTOR.fields_by_name:
        if field not in ("etag", "create_time", "update_time"):
            assert getattr(made, field) == getattr(wanted, field), field
    got = await world.admin.clients.GetApiClient(pb.GetApiClientRequest(api_client_id="shop"))
    assert got.api_client == made
    page = await world.admin.clients.ListApiClients(pb.ListApiClientsRequest(order_by="id"))
    assert [c.id for c in page.api_clients] == ["shop", "waybill-admin"]
    assert (await world.admin.clients.CreateApiClient(create(client(id="")))).api_client.access_token_minutes == 60


async def test_everything_wrong_with_clients_is_reported_at_once(world):
    await world.companies()
    batch = pb.BatchCreateApiClientsRequest(
        api_clients=[
            client(id="a", name="", access_token_minutes=9),
            client(id="b", access_token_minutes=601),
            client(id="c", default_user_id="nobody", roles=["Wizard"]),
            client(id="d", default_user_id="x\0"),
            client(id="e", buyer_ids=["acme", "nowhere", "acme"], supplier_ids=["acme"]),
            client(id="g", refresh_token_minutes=524_161),
            client(id="h", refresh_token_minutes=-1),
            client(
                id="f",
                policy=policies.OrderingPolicy(
                    auto_forward=9,  # type: ignore[arg-type]
                    payment_coverage=9,  # type: ignore[arg-type]
                    accept_within=Duration(seconds=365 * 86_400 + 1),
                ),
            ),
            client(id="i", policy=policies.OrderingPolicy(accept_within=Duration(seconds=59))),
            client(id="j", policy=policies.OrderingPolicy(accept_within=Duration(seconds=60, nanos=1))),
        ]
    )
    assert noted(await refused(world.admin.clients.BatchCreateApiClients(batch))) == [
        ("api_clients[0].access_token_minutes", "VALUE_OUT_OF_RANGE"),
        ("api_clients[0].name", "FIELD_REQUIRED"),
        ("api_clients[1].access_token_minutes", "VALUE_OUT_OF_RANGE"),
        ("api_clients[2].default_user_id", "USER_NOT_FOUND"),
        ("api_clients[2].roles[0]", "ROLE_NOT_AVAILABLE"),
        ("api_clients[3].default_user_id", "ID_INVALID"),
        ("api_clients[3].default_user_id", "USER_NOT_FOUND"),
        ("api_clients[4].buyer_ids[1]", "PARTY_NOT_FOUND"),
        ("api_clients[4].buyer_ids[2]", "DUPLICATE_ITEM"),
        ("api_clients[4].supplier_ids[0]", "PARTY_NOT_FOUND"),
        ("api_clients[5].refresh_token_minutes", "VALUE_OUT_OF_RANGE"),
        ("api_clients[6].refresh_token_minutes", "VALUE_OUT_OF_RANGE"),
        ("api_clients[7].policy.accept_within", "VALUE_OUT_OF_RANGE"),
        ("api_clients[7].policy.auto_forward", "FIELD_INVALID"),
        ("api_clients[7].policy.payment_coverage", "FIELD_INVALID"),
        *((f"api_clients[{n}].policy.accept_within", "VALUE_OUT_OF_RANGE") for n in (8, 9)),
    ]
    error = await refused(world.admin.clients.CreateApiClient(create(client(id="x\0", buyer_ids=["nowhere"]))))
    assert noted(error) == [("api_client.buyer_ids[0]", "PARTY_NOT_FOUND"), ("api_client.id", "ID_INVALID")]
    assert len((await world.admin.clients.ListApiClients(pb.ListApiClientsRequest())).api_clients) == 1


async def test_only_the_sellers_administrators_see_clients(world):
    for caller in (seller(roles.USER_ADMIN), buyer(ADMIN), buyer(roles.FULL_ACCESS)):
        stubs = world.calls(caller).clients
        for call in (
            stubs.CreateApiClient(create(client())),
            stubs.GetApiClient(pb.GetApiClientRequest(api_client_id="waybill-admin")),
            stubs.ListApiClients(pb.ListApiClientsRequest()),
            stubs.UpdateApiClient(pb.UpdateApiClientRequest(api_client=client(id="waybill-admin"))),
            stubs.RotateSecret(pb.RotateSecretRequest(api_client_id="waybill-admin")),
        ):
            error = await refused(call)
            assert (error.reason, error.metadata) == refusal_of(caller, ADMIN)


async def test_nobody_becomes_a_user_who_holds_more_through_a_client(world):
    await world.people(user("clerk", SELLER, roles.ORDER_READER))
    stubs = world.calls(seller(ADMIN, roles.ORDER_READER)).clients
    error = await refused(stubs.CreateApiClient(create(client(default_user_id="owner"))))
    assert noted(error) == [("api_client.default_user_id", "ROLE_NOT_AVAILABLE")]
    takeover = pb.UpdateApiClientRequest(api_client=client(id="waybill-admin"), update_mask=FieldMask(paths=["roles"]))
    assert noted(await refused(stubs.UpdateApiClient(takeover))) == [("api_client.default_user_id", "ROLE_NOT_AVAILABLE")]
    error = await refused(stubs.RotateSecret(pb.RotateSecretRequest(api_client_id="waybill-admin")))
    assert noted(error) == [("api_client_id", "ROLE_NOT_AVAILABLE")]
    # Within the limit of its roles, even a client of the owner may be had.
    await stubs.CreateApiClient(create(client(default_user_id="owner", roles=[roles.ORDER_READER])))
    await stubs.CreateApiClient(create(client(id="clerks", default_user_id="clerk")))
    await stubs.RotateSecret(pb.RotateSecretRequest(api_client_id="clerks"))


async def test_a_new_secret_ends_the_old_one_and_makes_the_client_confidential(world):
    await world.companies()
    await world.people()
    await world.client(default_user_id="anna")

    no = "GRANT_INVALID"

    async def works(secret, by_password):
        request = tokens.IssueTokenRequest(client_id="shop", client_secret=secret)
        if by_password:
            request.password.CopyFrom(tokens.PasswordGrant(username="bob", password=PASSWORD))
        else:
            request.client_credentials.SetInParent()
        try:
            await world.tokens.IssueToken(request)
        except WaybillError as error:
            return error.reason
        return "OK"

    assert [await works("", True), await works("guess", False)] == ["OK", no]
    rotate = pb.RotateSecretRequest(api_client_id="shop")
    first = (await world.admin.clients.RotateSecret(rotate)).client_secret
    assert [await works("", True), await works(first, True), await works(first, False)] == [no, "OK", "OK"]
    second = (await world.admin.clients.RotateSecret(rotate)).client_secret
    assert [await works(first, False), await works(second, False)] == [no, "OK"]
    rotate.request_id = "r1"
    third = (await world.admin.clients.RotateSecret(rotate)).client_secret
    error = await refused(world.admin.clients.RotateSecret(rotate))
    assert (error.kind, error.reason, error.metadata) == (Kind.PRECONDITION, "SECRET_SHOWN_ONCE", {"api_client": "shop"})
    assert [await works(second, False), await works(third, False)] == [no, "OK"]
    found = (await world.admin.clients.GetApiClient(pb.GetApiClientRequest(api_client_id="shop"))).api_client
    assert (found.has_secret, found.etag) == (True, "4")
    for id, kind in (("nobody", Kind.MISSING), ("x\0", Kind.INVALID)):
        assert (await refused(world.admin.clients.RotateSecret(pb.RotateSecretRequest(api_client_id=id)))).kind is kind


async def test_an_update_changes_its_fields(world):
    await world.companies()
    await world.client()
    change = pb.UpdateApiClientRequest(
        api_client=pb.ApiClient(id="shop", etag="1", policy=policies.OrderingPolicy(require_ship_methods=True)), request_id="r1"
    )
    for _ in range(2):
        made = (await world.admin.clients.UpdateApiClient(change)).api_client
        assert (made.policy.require_ship_methods, made.allow_any_buyer, made.etag) == (True, True, "2")
    change.request_id = "r2"
    change.update_mask.CopyFrom(FieldMask(paths=["policy.auto_forward", "xp.a", "name"]))
    assert noted(await refused(world.admin.clients.UpdateApiClient(change))) == [
        ("update_mask.paths[0]", "FIELD_INVALID"),
        ("update_mask.paths[1]", "FIELD_INVALID"),
    ]
    change.ClearField("update_mask")
    assert (await refused(world.admin.clients.UpdateApiClient(change))).reason == "ETAG_MISMATCH"


async def test_the_same_request_id_creates_one_client(world):
    request = create(client(id=""), request_id="r1")
    first = (await world.admin.clients.CreateApiClient(request)).api_client
    assert (await world.admin.clients.CreateApiClient(request)).api_client == first


async def test_a_secret_is_not_recorded_with_its_request(world, settings):
    await world.client()
    await world.admin.clients.RotateSecret(pb.RotateSecretRequest(api_client_id="shop", request_id="r1"))
    database = await Database.open(settings.database_url, settings.database_schema)
    async with database.reading() as tx:
        recorded = sa.select(REQUESTS.c.outcome).where(REQUESTS.c.request_id == "r1")
        assert (await tx.execute(recorded)).scalars().all() == [{}]
    await database.close()
