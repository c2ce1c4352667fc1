"""A channel of a marketplace in which guests shop."""

from __future__ import annotations

from services import roles
from services.host.sample.marketplace import CURRENCY, party
from tests.support.marketplace import Marketplace
from waybill.directory.v1 import api_client_service_pb2, buyer_service_pb2, ordering_context_service_pb2, user_service_pb2
from waybill_client import AsyncWaybill

WEB = "web"
VISITORS = "visitors"
VISITOR = "visitor"
"""Buyer and user that guests share."""


async def open_to_guests(market: Marketplace, *, held: tuple[str, ...] = (roles.SHOPPER, roles.ME_CREDIT_CARD_ADMIN)) -> None:
    """Makes the channel, its buyer and the user of its guests."""
    await open_channel(market.people.owner, held)


async def open_channel(owner: AsyncWaybill, held: tuple[str, ...] = (roles.SHOPPER, roles.ME_CREDIT_CARD_ADMIN)) -> None:
    """The same, by the marketplace's owner."""
    buyer = buyer_service_pb2.Buyer(id=VISITORS, name="Visitors", active=True, currency=CURRENCY)
    await owner.buyers.CreateBuyer(buyer_service_pb2.CreateBuyerRequest(buyer=buyer))
    user = user_service_pb2.User(
        id=VISITOR, username=VISITOR, party=party("BUYER", VISITORS), active=True, first_name="Shared", roles=list(held)
    )
    await owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=user))
    policy = ordering_context_service_pb2.OrderingPolicy(
        auto_forward=ordering_context_service_pb2.AUTO_FORWARD_ALL,
        require_ship_methods=True,
        payment_coverage=ordering_context_service_pb2.PAYMENT_COVERAGE_TOTAL,
        payment_types=["credit_card", "purchase_order"],
    )
    client = api_client_service_pb2.ApiClient(
        id=WEB, name="Web", active=True, buyer_ids=[VISITORS, "acme"], anonymous_user_id=VISITOR, policy=policy
    )
    await owner.api_clients.CreateApiClient(api_client_service_pb2.CreateApiClientRequest(api_client=client))


async def guest(market: Marketplace) -> AsyncWaybill:
    """Somebody who comes in without a name."""
    return await AsyncWaybill.connect(market.address, WEB, guest=True)
