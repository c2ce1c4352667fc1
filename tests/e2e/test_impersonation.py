"""A user of the seller acts in the place of a buyer's user, and everything that it does says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import jwt
import pytest

from services import roles
from services.host.sample.marketplace import PASSWORD, PORTAL, SHOP, party
from tests.support.marketplace import INCOMING, OUTGOING, Marketplace
from waybill.catalog.v1 import product_service_pb2, product_service_pb2_grpc
from waybill.changes.v1 import change_service_pb2
from waybill.directory.v1 import address_service_pb2, address_service_pb2_grpc, token_service_pb2_grpc, user_service_pb2_grpc
from waybill.directory.v1 import token_service_pb2 as pb
from waybill.directory.v1 import user_service_pb2 as users
from waybill.order.v1 import checkout_service_pb2, checkout_service_pb2_grpc, order_service_pb2, order_service_pb2_grpc
from waybill.type.v1.address_pb2 import Address
from waybill_client.errors import WaybillError, from_rpc_error

Metadata = tuple[tuple[str, str], ...]


def bearer(token: str) -> Metadata:
    """What a call with a token carries."""
    return (("authorization", f"Bearer {token}"),)


@asynccontextmanager
async def calls(market: Marketplace) -> AsyncIterator[grpc.aio.Channel]:
    """For calls whose tokens the test carries by itself."""
    async with grpc.aio.insecure_channel(market.address) as channel:
        yield channel


async def signed_in(channel: grpc.aio.Channel, username: str, client: str) -> Metadata:
    request = pb.IssueTokenRequest(client_id=client, password=pb.PasswordGrant(username=username, password=PASSWORD))
    return bearer((await token_service_pb2_grpc.TokenServiceStub(channel).IssueToken(request)).access_token)


async def standing_in(channel: grpc.aio.Channel, by: Metadata, user: str, client: str = SHOP, **more: Any) -> str:
    """A token of whoever acts in the place of a user."""
    request = pb.IssueTokenRequest(client_id=client, impersonation=pb.ImpersonationGrant(user_id=user), **more)
    return (await token_service_pb2_grpc.TokenServiceStub(channel).IssueToken(request, metadata=by)).access_token


async def support(market: Marketplace, id: str, *held: str) -> None:
    """A user of the seller for this test."""
    user = users.User(
        id=id,
        username=id,
        party=party("SELLER", "seller"),
        active=True,
        password=PASSWORD,
        roles=held or [roles.BUYER_IMPERSONATION],
    )
    await market.people.owner.users.CreateUser(users.CreateUserRequest(user=user))


async def refusal(attempt: Awaitable[Any]) -> WaybillError:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await attempt
    return from_rpc_error(error.value)


@pytest.mark.on_sqlite
async def test_orders_and_changes_name_the_user_and_who_acted_in_its_place(shared_market: Marketplace) -> None:
    await support(shared_market, "helper-1")
    async with calls(shared_market) as channel:
        token = await standing_in(channel, await signed_in(channel, "helper-1", PORTAL), "ada")
        assert jwt.decode(token, options={"verify_signature": False})["imp"] == "helper-1"
        place = checkout_service_pb2.PlaceOrderRequest(request_id="imp-1")
        place.order.id = "IMP-1"
        place.line_items.add(product_id="tape", quantity=1)
        place.payments.add(type="purchase_order", purchase_order_number="PO-1")
        checkout: Any = checkout_service_pb2_grpc.CheckoutServiceStub(channel)
        placed = (await checkout.PlaceOrder(place, metadata=bearer(token))).order
        assert placed.from_user.id == "ada"
        # The same request of the user itself is the same request.
        own = await signed_in(channel, "ada", SHOP)
        assert (await checkout.PlaceOrder(place, metadata=own)).order.id == "IMP-1"

        orders: Any = order_service_pb2_grpc.OrderServiceStub(channel)
        asked = order_service_pb2.ListOrderHistoryRequest(order_id="IMP-1", direction=INCOMING)
        events = (await shared_market.people.sam.orders.ListOrderHistory(asked)).events
        assert {event.impersonator_id for event in events if event.user_id == "ada"} == {"helper-1"}
        assert {event.impersonator_id for event in events if not event.user_id} <= {""}
        asked.direction = OUTGOING
        shown = (await orders.ListOrderHistory(asked, metadata=own)).events
        assert {event.impersonator_id for event in shown} == {""}

        chief = users.User(
            id="chief-1", username="chief-1", party=party("BUYER", "acme"), active=True, roles=[roles.ADDRESS_ADMIN]
        )
        await shared_market.people.owner.users.CreateUser(users.CreateUserRequest(user=chief))
        acting = bearer(await standing_in(channel, await signed_in(channel, "helper-1", PORTAL), "chief-1"))
        where = Address(id="imp-1", lines=["1 Main St"], city="Springfield", country="US")
        entry = address_service_pb2.AddressEntry(party=party("BUYER", "acme"), address=where)
        made = address_service_pb2.CreateAddressesRequest(entries=[entry])
        addresses: Any = address_service_pb2_grpc.AddressServiceStub(channel)
        await addresses.CreateAddresses(made, metadata=acting)
    watched = change_service_pb2.WatchChangesRequest(context="directory", from_start=True, resources=["address"])
    async with asyncio.timeout(60):
        async for message in shared_market.people.owner.changes.WatchChanges(watched):
            if message.change.resource_id.endswith("imp-1"):
                break
    assert (message.change.actor, message.change.impersonator) == ("chief-1", "helper-1")
    for context in ("order", "payment", "fulfillment"):
        assert await feed_names(shared_market, context, "helper-1"), context


async def feed_names(market: Marketplace, context: str, impersonator: str) -> bool:
    """Whether a feed names somebody who acts in the place of a user, before it is at its end."""
    watched = change_service_pb2.WatchChangesRequest(context=context, from_start=True)
    async with asyncio.timeout(60):
        async for message in market.people.owner.changes.WatchChanges(watched):
            if message.change.impersonator == impersonator:
                return True
    return False


@pytest.mark.on_sqlite
async def test_how_anybody_signs_in_is_not_changed_in_the_place_of_a_user(shared_market: Marketplace) -> None:
    await support(shared_market, "helper-2")
    admin = users.User(
        id="chief-2", username="chief-2", party=party("BUYER", "acme"), active=True, roles=[roles.USER_ADMIN, roles.SHOPPER]
    )
    await shared_market.people.owner.users.CreateUser(users.CreateUserRequest(user=admin))
    async with calls(shared_market) as channel:
        acting = bearer(await standing_in(channel, await signed_in(channel, "helper-2", PORTAL), "chief-2"))
        stub: Any = user_service_pb2_grpc.UserServiceStub(channel)
        set_password = users.SetPasswordRequest(user_id="chief-2", password=PASSWORD)
        error = await refusal(stub.SetPassword(set_password, metadata=acting))
        assert (error.code, error.reason, error.fields) == (grpc.StatusCode.PERMISSION_DENIED, "IMPERSONATED", [])
        new = users.User(id="made-2", username="made-2", party=party("BUYER", "acme"), active=True, roles=[roles.SHOPPER])
        with_password = users.User(password=PASSWORD)
        with_password.MergeFrom(new)
        for attempt, field in (
            (stub.CreateUser(users.CreateUserRequest(user=with_password), metadata=acting), "user.password"),
            (
                stub.BatchCreateUsers(users.BatchCreateUsersRequest(users=[new, with_password]), metadata=acting),
                "users[1].password",
            ),
            (
                stub.UpdateUser(users.UpdateUserRequest(user=users.User(id="chief-2", password=PASSWORD)), metadata=acting),
                "user.password",
            ),
        ):
            error = await refusal(attempt)
            assert (error.reason, error.metadata["impersonator"]) == ("IMPERSONATED", "helper-2")
            assert [violation.field for violation in error.fields] == [field]
        assert (await stub.CreateUser(users.CreateUserRequest(user=new), metadata=acting)).user.id == "made-2"
        assert (await refusal(standing_in(channel, acting, "ada"))).reason == "PARTY_NOT_ADMITTED"


async def test_nobody_stands_in_for_the_seller_a_supplier_or_without_the_role(shared_sqlite_market: Marketplace) -> None:
    await support(shared_sqlite_market, "helper-3")
    await support(shared_sqlite_market, "helper-4", roles.USER_ADMIN)
    async with calls(shared_sqlite_market) as channel:
        helper = await signed_in(channel, "helper-3", PORTAL)
        for user in ("sam", "owner", "clerk-wh-east"):
            error = await refusal(standing_in(channel, helper, user, PORTAL))
            assert (error.code, error.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "IMPERSONATION_REFUSED")
            assert error.metadata["field"] == "impersonation.user_id"
        error = await refusal(standing_in(channel, helper, "nobody"))
        assert (error.code, error.reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
        error = await refusal(standing_in(channel, helper, ""))
        assert (error.reason, error.metadata["field"]) == ("FIELD_REQUIRED", "impersonation.user_id")
        assert (await refusal(standing_in(channel, (), "ada"))).reason == "TOKEN_MISSING"
        for who, reason in (("helper-4", "ROLE_MISSING"), ("clerk-wh-east", "PARTY_NOT_ADMITTED")):
            assert (await refusal(standing_in(channel, await signed_in(channel, who, PORTAL), "ada"))).reason == reason
        forged = bearer(helper[0][1].removeprefix("Bearer ")[:-4] + "AAAA")
        assert (await refusal(standing_in(channel, forged, "ada"))).reason == "TOKEN_INVALID"
        error = await refusal(standing_in(channel, helper, "ada", roles=[roles.FULL_ACCESS]))
        assert (error.reason, error.metadata) == ("ROLE_MISSING", {"role": roles.FULL_ACCESS})


async def test_who_is_dismissed_stands_in_for_nobody_any_longer(shared_sqlite_market: Marketplace) -> None:
    await support(shared_sqlite_market, "helper-5")
    async with calls(shared_sqlite_market) as channel:
        acting = bearer(await standing_in(channel, await signed_in(channel, "helper-5", PORTAL), "ada"))
        own = await signed_in(channel, "ada", SHOP)
        products: Any = product_service_pb2_grpc.ProductServiceStub(channel)
        assert (await products.ListProducts(product_service_pb2.ListProductsRequest(), metadata=acting)).products
        gone = users.UpdateUserRequest(user=users.User(id="helper-5", active=False), update_mask={"paths": ["active"]})
        await shared_sqlite_market.people.owner.users.UpdateUser(gone)
        error = await refusal(products.ListProducts(product_service_pb2.ListProductsRequest(), metadata=acting))
        assert (error.code, error.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REVOKED")
        assert (await products.ListProducts(product_service_pb2.ListProductsRequest(), metadata=own)).products
