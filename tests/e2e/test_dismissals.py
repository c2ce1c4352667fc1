"""Who is dismissed does nothing more: in no replica of any service, not on a stream that is open, and not by a refresh token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from services import roles
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, party
from tests.e2e.steps import card
from tests.support.marketplace import Marketplace, lines
from tests.support.prepared import CHEAP
from tests.support.sealing import sealing_key_for
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import security_profile_service_pb2 as profiles
from waybill.directory.v1 import supplier_service_pb2 as suppliers
from waybill.directory.v1 import token_service_pb2 as tokens
from waybill.directory.v1 import token_service_pb2_grpc
from waybill.directory.v1 import user_group_service_pb2 as groups
from waybill.directory.v1 import user_service_pb2 as users
from waybill.order.v1 import checkout_service_pb2 as checkout
from waybill.order.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from waybill.payment.v1 import payment_pb2, payment_service_pb2, payment_service_pb2_grpc
from waybill_client import AsyncWaybill
from waybill_client.errors import from_rpc_error
from waybill_client.money import money

ORDER = "DISMISSED"
Metadata = tuple[tuple[str, str], ...]
Take = Callable[[AsyncWaybill, str], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Replicas:
    """Two processes with all services each, on one database."""

    market: Marketplace
    channels: tuple[grpc.aio.Channel, grpc.aio.Channel]
    payment_id: str

    async def signed_in(self, request: tokens.IssueTokenRequest, replica: int) -> tokens.IssueTokenResponse | str:
        """The answer to a grant, or why it is refused."""
        try:
            answer = await token_service_pb2_grpc.TokenServiceStub(self.channels[replica]).IssueToken(request)
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error).reason
        return answer

    async def refund(self, replica: int, clerk: Metadata, request_id: str) -> str:
        """A dollar goes back, once for a request id; OK, or the reason why not."""
        request = payment_service_pb2.RefundPaymentRequest(
            payment_id=self.payment_id, amount=money("1.00", "USD"), request_id=request_id
        )
        try:
            await payment_service_pb2_grpc.PaymentServiceStub(self.channels[replica]).RefundPayment(request, metadata=clerk)
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error).reason
        return "OK"

    async def watch(self, replica: int, caller: Metadata, direction: int) -> Any:
        """A stream of orders that has begun."""
        request = order_service_pb2.WatchOrdersRequest(direction=direction, from_start=True)  # type: ignore[arg-type]
        call = order_service_pb2_grpc.OrderServiceStub(self.channels[replica]).WatchOrders(request, metadata=caller)
        await call.read()
        return call

    async def refunded(self) -> str:
        """What has gone back of the payment in all."""
        answer = await self.market.people.sam.checkout.ListPayments(checkout.ListPaymentsRequest(order_id=ORDER))
        (paid,) = answer.payments
        return f"{paid.refunded_amount.units}.{paid.refunded_amount.nanos:09d}"


async def end_of(stream: Any) -> str:
    """Why a stream ends."""
    try:
        async with asyncio.timeout(30):
            while await stream.read() is not grpc.aio.EOF:
                pass
    except grpc.aio.AioRpcError as error:
        return from_rpc_error(error).reason
    return "OK"


async def within_the_poll(answer: Callable[[], Awaitable[str]], wanted: str) -> None:
    """An answer becomes what it should be, long before a token would have ended by itself."""
    async with asyncio.timeout(30):
        while await answer() != wanted:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def replicas(market: Marketplace, folder: Path) -> AsyncIterator[Replicas]:
    """With an order of ada's, the card of which was charged."""
    await card(market, "visa", "tok_approve")
    pays = payment_pb2.Payment(type="credit_card", credit_card_id="visa")
    placing = checkout.PlaceOrderRequest(
        order=order_pb2.Order(id=ORDER), line_items=lines(anvil=2, lamp=1), payments=[pays], request_id="place"
    )
    await market.people.ada.checkout.PlaceOrder(placing)
    sam = market.people.sam
    (paid,) = (await sam.checkout.ListPayments(checkout.ListPaymentsRequest(order_id=ORDER))).payments
    await sam.payments.CapturePayment(payment_service_pb2.CapturePaymentRequest(payment_id=paid.id))
    url = market.database_url
    settings = HostSettings(data=folder, database_url=url, sealing_key=sealing_key_for(url), services=CHEAP, key_poll=0.1)
    async with AsyncExitStack() as stack:
        second = await stack.enter_async_context(running(settings))
        one = await stack.enter_async_context(grpc.aio.insecure_channel(market.address))
        other = await stack.enter_async_context(grpc.aio.insecure_channel(second.address))
        yield Replicas(market, (one, other), paid.id)


def by_password(id: str) -> tokens.IssueTokenRequest:
    return tokens.IssueTokenRequest(client_id=f"till-{id}", password=tokens.PasswordGrant(username=id, password=PASSWORD))


async def hired(owner: AsyncWaybill, id: str, kind: str = "SELLER", company: str = "seller") -> None:
    """A clerk with a client of its own, who may read orders, and refund by a profile of its group."""
    client = clients.ApiClient(id=f"till-{id}", name=id, active=True, refresh_token_minutes=60)
    client.allow_seller, client.allow_any_supplier = kind == "SELLER", kind == "SUPPLIER"
    await owner.api_clients.CreateApiClient(clients.CreateApiClientRequest(api_client=client))
    user = users.User(id=id, username=id, party=party(kind, company), active=True, password=PASSWORD, roles=[roles.ORDER_READER])
    await owner.users.CreateUser(users.CreateUserRequest(user=user))
    group = groups.UserGroup(id=f"g-{id}", name=id, party=party(kind, company))
    await owner.user_groups.CreateUserGroup(groups.CreateUserGroupRequest(user_group=group))
    profile = profiles.SecurityProfile(id=f"p-{id}", name=id, roles=[roles.PAYMENT_ADMIN])
    await owner.security_profiles.CreateSecurityProfile(profiles.CreateSecurityProfileRequest(security_profile=profile))
    await owner.security_profiles.AssignSecurityProfiles(profiles.AssignSecurityProfilesRequest(assignments=[_given(id)]))
    await owner.user_groups.AddUserGroupMembers(groups.AddUserGroupMembersRequest(members=[_member(id)]))


def _given(id: str) -> profiles.SecurityProfileAssignment:
    return profiles.SecurityProfileAssignment(security_profile_id=f"p-{id}", user_group_id=f"g-{id}")


def _member(id: str) -> groups.UserGroupMember:
    return groups.UserGroupMember(user_group_id=f"g-{id}", user_id=id)


async def dismissed(owner: AsyncWaybill, id: str) -> None:
    user = users.User(id=id, active=False)
    await owner.users.UpdateUser(users.UpdateUserRequest(user=user, update_mask=FieldMask(paths=["active"])))


async def deleted(owner: AsyncWaybill, id: str) -> None:
    await owner.users.DeleteUser(users.DeleteUserRequest(user_id=id))


async def role_removed(owner: AsyncWaybill, id: str) -> None:
    less = profiles.SecurityProfile(id=f"p-{id}", roles=[roles.ORDER_ADMIN])
    request = profiles.UpdateSecurityProfileRequest(security_profile=less, update_mask=FieldMask(paths=["roles"]))
    await owner.security_profiles.UpdateSecurityProfile(request)


async def profile_unassigned(owner: AsyncWaybill, id: str) -> None:
    await owner.security_profiles.UnassignSecurityProfiles(profiles.UnassignSecurityProfilesRequest(assignments=[_given(id)]))


async def group_deleted(owner: AsyncWaybill, id: str) -> None:
    await owner.user_groups.RemoveUserGroupMembers(groups.RemoveUserGroupMembersRequest(members=[_member(id)]))
    await profile_unassigned(owner, id)
    await owner.user_groups.DeleteUserGroup(groups.DeleteUserGroupRequest(user_group_id=f"g-{id}"))


async def client_closed(owner: AsyncWaybill, id: str) -> None:
    client = clients.ApiClient(id=f"till-{id}", active=False)
    request = clients.UpdateApiClientRequest(api_client=client, update_mask=FieldMask(paths=["active"]))
    await owner.api_clients.UpdateApiClient(request)


async def supplier_closed(owner: AsyncWaybill, id: str) -> None:
    closed = suppliers.Supplier(id=f"s-{id}", active=False)
    await owner.suppliers.UpdateSupplier(
        suppliers.UpdateSupplierRequest(supplier=closed, update_mask=FieldMask(paths=["active"]))
    )


AFTERWARDS: dict[Take, str] = {
    dismissed: "GRANT_INVALID",
    deleted: "GRANT_INVALID",
    client_closed: "GRANT_INVALID",
    role_removed: "ROLE_MISSING",
    profile_unassigned: "ROLE_MISSING",
    group_deleted: "ROLE_MISSING",
}
"""By what is taken away: what a clerk hears who signs in anew and refunds."""


async def refunds_no_more(made: Replicas, take: Take, afterwards: str) -> None:
    """A clerk refunds in both replicas and watches both, until what it needs for that is taken away at the first one."""
    id, owner = take.__name__.replace("_", "-"), made.market.people.owner
    await hired(owner, id)
    issued = await made.signed_in(by_password(id), 1)
    assert not isinstance(issued, str)
    clerk: Metadata = (("authorization", f"Bearer {issued.access_token}"),)
    assert [await made.refund(replica, clerk, f"{id}-{replica}") for replica in (0, 1)] == ["OK", "OK"]
    streams = [await made.watch(replica, clerk, order_pb2.DIRECTION_ALL) for replica in (0, 1)]
    before = await made.refunded()

    await take(owner, id)

    assert await made.refund(0, clerk, f"{id}-more") == "TOKEN_REVOKED"
    # A repeat of what has been done already: until the poll it is answered as it was then, and has no effect.
    await within_the_poll(lambda: made.refund(1, clerk, f"{id}-1"), "TOKEN_REVOKED")
    assert [await made.refund(replica, clerk, f"{id}-again") for replica in (0, 1)] == ["TOKEN_REVOKED"] * 2
    assert [await end_of(stream) for stream in streams] == ["TOKEN_REVOKED"] * 2
    grant = tokens.RefreshGrant(refresh_token=issued.refresh_token)
    refresh = tokens.IssueTokenRequest(client_id=f"till-{id}", refresh=grant)
    assert [await made.signed_in(refresh, replica) for replica in (0, 1)] == ["GRANT_INVALID"] * 2
    anew = await made.signed_in(by_password(id), 1)
    if not isinstance(anew, str):
        anew = await made.refund(1, (("authorization", f"Bearer {anew.access_token}"),), f"{id}-anew")
    assert anew == afterwards
    assert await made.refunded() == before


@pytest.mark.timeout(180)
async def test_a_dismissed_clerk_refunds_nothing_more_in_any_replica(market: Marketplace, tmp_path: Path) -> None:
    async with replicas(market, tmp_path / "second") as made:
        for take, afterwards in AFTERWARDS.items():
            await refunds_no_more(made, take, afterwards)
        assert await made.refunded() == f"{2 * len(AFTERWARDS)}.000000000"


async def test_a_company_that_takes_part_no_longer_is_gone_from_every_replica(market: Marketplace, tmp_path: Path) -> None:
    owner = market.people.owner
    async with replicas(market, tmp_path / "second") as made:
        new = suppliers.Supplier(id="s-late", name="Late", active=True)
        await owner.suppliers.CreateSupplier(suppliers.CreateSupplierRequest(supplier=new))
        await hired(owner, "late", "SUPPLIER", "s-late")
        issued = await made.signed_in(by_password("late"), 1)
        assert not isinstance(issued, str)
        clerk: Metadata = (("authorization", f"Bearer {issued.access_token}"),)
        request = order_service_pb2.ListOrdersRequest(direction=order_pb2.DIRECTION_INCOMING)

        async def listed(replica: int) -> str:
            try:
                await order_service_pb2_grpc.OrderServiceStub(made.channels[replica]).ListOrders(request, metadata=clerk)
            except grpc.aio.AioRpcError as error:
                return from_rpc_error(error).reason
            return "OK"

        assert [await listed(replica) for replica in (0, 1)] == ["OK", "OK"]
        streams = [await made.watch(replica, clerk, order_pb2.DIRECTION_INCOMING) for replica in (0, 1)]
        await supplier_closed(owner, "late")
        assert await listed(0) == "TOKEN_REVOKED"
        await within_the_poll(lambda: listed(1), "TOKEN_REVOKED")
        assert [await end_of(stream) for stream in streams] == ["TOKEN_REVOKED"] * 2
        assert await made.signed_in(by_password("late"), 1) == "GRANT_INVALID"
