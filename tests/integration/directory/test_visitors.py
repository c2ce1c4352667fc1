"""Whom visitors of a channel are, where who registers comes to, and which web pages get tokens."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from services import roles
from tests.integration.directory.world import ACME, BOLT, PASSWORD, SELLER, user
from tests.support.principals import seller
from waybill.directory.v1 import api_client_service_pb2 as pb
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import token_service_pb2 as tokens
from waybill.directory.v1 import user_service_pb2 as users

SHOP_PAGE, OTHER_PAGE = "https://shop.example", "https://elsewhere.example"


async def refused(attempt):
    with pytest.raises(WaybillError) as error:
        await attempt
    return error.value


def noted(error):
    return sorted((f.field, f.reason) for f in error.fields)


def client(id="shop", **more):
    return pb.ApiClient(**{"id": id, "name": id, "active": True, "allow_any_buyer": True, **more})


async def make(world, made, caller=None):
    stubs = world.admin if caller is None else world.calls(caller)
    return (await stubs.clients.CreateApiClient(pb.CreateApiClientRequest(api_client=made))).api_client


async def change(world, *paths, **values):
    request = pb.UpdateApiClientRequest(api_client=pb.ApiClient(id="shop", **values), update_mask=FieldMask(paths=paths))
    return (await world.admin.clients.UpdateApiClient(request)).api_client


async def shoppers(world):
    await world.companies()
    await world.people(
        user("visitor", ACME, roles.SHOPPER),
        user("reader", ACME, roles.SHOPPER, roles.ORDER_READER),
        user("nobody-yet", ACME),
        user("sven", BOLT, roles.SHOPPER),
        user("clerk", SELLER, roles.SHOPPER),
    )


async def test_a_channel_keeps_its_visitors_and_where_people_register(world):
    await shoppers(world)
    made = await make(
        world,
        client(
            anonymous_user_id="visitor",
            anonymous_token_minutes=43_200,
            registration_buyer_id="acme",
            allowed_origins=[SHOP_PAGE, "http://localhost:3000"],
        ),
    )
    got = await world.admin.clients.GetApiClient(pb.GetApiClientRequest(api_client_id="shop"))
    assert got.api_client == made
    assert (made.anonymous_user_id, made.anonymous_token_minutes, made.registration_buyer_id) == ("visitor", 43_200, "acme")
    assert list(made.allowed_origins) == [SHOP_PAGE, "http://localhost:3000"]
    assert (await make(world, client("plain"))).anonymous_token_minutes == 10_080
    cleared = await change(world, "anonymous_user_id", "registration_buyer_id", "allowed_origins")
    assert (cleared.anonymous_user_id, cleared.registration_buyer_id, list(cleared.allowed_origins)) == ("", "", [])


async def test_everything_wrong_with_visitors_is_reported_at_once(world):
    await shoppers(world)
    batch = [
        client("a", anonymous_user_id="ghost", registration_buyer_id="ghosts", allowed_origins=["*"]),
        client("b", anonymous_user_id="sven", anonymous_token_minutes=9, allow_any_supplier=True),
        client("c", anonymous_user_id="clerk", anonymous_token_minutes=43_201, allow_seller=True),
        client("d", anonymous_user_id="reader"),
        client("e", anonymous_user_id="visitor", registration_buyer_id="acme", allow_any_buyer=False),
        # What the channel keeps out of its tokens does not matter.
        client("f", anonymous_user_id="reader", roles=[roles.SHOPPER]),
        client("g", anonymous_user_id="nobody-yet", registration_buyer_id="acme", allow_any_buyer=False, buyer_ids=["acme"]),
    ]
    request = pb.BatchCreateApiClientsRequest(api_clients=batch)
    assert noted(await refused(world.admin.clients.BatchCreateApiClients(request))) == [
        ("api_clients[0].allowed_origins[0]", "FIELD_INVALID"),
        ("api_clients[0].anonymous_user_id", "USER_NOT_FOUND"),
        ("api_clients[0].registration_buyer_id", "PARTY_NOT_FOUND"),
        ("api_clients[1].anonymous_token_minutes", "VALUE_OUT_OF_RANGE"),
        ("api_clients[1].anonymous_user_id", "BUYER_NOT_ADMITTED"),
        ("api_clients[2].anonymous_token_minutes", "VALUE_OUT_OF_RANGE"),
        ("api_clients[2].anonymous_user_id", "BUYER_NOT_ADMITTED"),
        ("api_clients[3].anonymous_user_id", "ROLE_NOT_AVAILABLE"),
        ("api_clients[4].anonymous_user_id", "BUYER_NOT_ADMITTED"),
        ("api_clients[4].registration_buyer_id", "BUYER_NOT_ADMITTED"),
    ]
    error = await refused(make(world, client(anonymous_user_id="visitor"), seller(roles.API_CLIENT_ADMIN)))
    assert noted(error) == [("api_client.anonymous_user_id", "ROLE_NOT_AVAILABLE")]


async def test_a_channel_cannot_cease_to_admit_its_visitors(world):
    await shoppers(world)
    await make(world, client(anonymous_user_id="visitor", registration_buyer_id="acme"))
    assert noted(await refused(change(world, "allow_any_buyer"))) == [
        ("api_client.anonymous_user_id", "BUYER_NOT_ADMITTED"),
        ("api_client.registration_buyer_id", "BUYER_NOT_ADMITTED"),
    ]


async def test_who_is_named_by_a_channel_stays(world):
    await world.companies()
    await world.people(user("visitor", ACME))
    await make(world, client(anonymous_user_id="visitor", default_user_id="visitor", registration_buyer_id="acme"))
    gone = await refused(world.admin.users.DeleteUser(users.DeleteUserRequest(user_id="visitor")))
    assert gone.metadata["used_by"] == "API client: 1 (shop)"
    await change(world, "default_user_id")
    gone = await refused(world.admin.users.DeleteUser(users.DeleteUserRequest(user_id="visitor")))
    assert gone.metadata["used_by"] == "API client: 1 (shop)"
    await change(world, "anonymous_user_id")
    await world.admin.users.DeleteUser(users.DeleteUserRequest(user_id="visitor"))
    gone = await refused(world.admin.buyers.DeleteBuyer(buyers.DeleteBuyerRequest(buyer_id="acme")))
    assert "API client: 1 (shop)" in gone.metadata["used_by"]


def signing_in(page, client_id="shop", password=PASSWORD):
    grant = tokens.PasswordGrant(username="anna", password=password)
    return tokens.IssueTokenRequest(client_id=client_id, password=grant, origin=page)


async def test_a_web_page_that_the_channel_does_not_name_gets_no_token(world):
    await world.companies()
    await world.people()
    await make(world, client(allowed_origins=[SHOP_PAGE], refresh_token_minutes=60))
    made = await world.tokens.IssueToken(signing_in(SHOP_PAGE))
    await world.tokens.IssueToken(signing_in(""))
    for request in (
        signing_in(OTHER_PAGE),
        signing_in(SHOP_PAGE + "/"),
        signing_in("x" * 10_000),
        tokens.IssueTokenRequest(
            client_id="shop", origin=OTHER_PAGE, refresh=tokens.RefreshGrant(refresh_token=made.refresh_token)
        ),
    ):
        error = await refused(world.tokens.IssueToken(request))
        assert (error.kind, error.reason) == (Kind.DENIED, "ORIGIN_NOT_ALLOWED")
        assert error.metadata == {"origin": request.origin[:200]}
    # Who has proven nothing is not shown which web pages there are.
    assert (await refused(world.tokens.IssueToken(signing_in(OTHER_PAGE, password="wrong")))).reason == "GRANT_INVALID"
    await change(world, "allowed_origins")
    await world.tokens.IssueToken(signing_in(OTHER_PAGE))
