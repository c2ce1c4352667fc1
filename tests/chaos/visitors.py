"""People who have come in without a name: whoever signs in takes a guest's order along, whoever registers becomes a user.

Each happens once, or not at all, whatever dies meanwhile.
"""

from __future__ import annotations

from contextlib import suppress

from google.protobuf.field_mask_pb2 import FieldMask

from services.host.sample.marketplace import PASSWORD, SHOP
from services.host.sample.parties import People
from tests.chaos import steps
from tests.chaos.steps import refusal, until_answered
from tests.support.guests import WEB, open_channel
from waybill.directory.v1 import api_client_service_pb2, message_service_pb2, registration_service_pb2, user_service_pb2
from waybill.order.v1 import checkout_service_pb2 as checkout
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, WaybillError

TRANSFER = r"\A(?!.*(order>directory\.GetOrderingContext|DeletePayments|TransferOrder|OrderPayments\.delete))|#"
"""What is no part of a transfer: verifying it goes on to a submitted order, whose places other scenarios have."""
HOME = Address(lines=["1 Home St"], city="Reno", region="NV", postal_code="89501", country="US")
_GUESTS: dict[str, tuple[AsyncWaybill, str, str]] = {}
"""By tag: the guest, the id of its order and its token."""
_SENT: dict[str, str] = {}
"""By tag: the token that went by e-mail."""


async def guest_order(people: People, tag: str) -> None:
    """A guest's order with freight, tax and a payment by the guest's own card."""
    await _open(people.owner)
    guest = AsyncWaybill("", WEB, guest=True, addresses=people.addresses)
    id, token = await guest.guest_order()
    _GUESTS[tag] = guest, id, token
    made = order_pb2.Order(shipping_address=HOME, billing_address=HOME)
    await guest.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=made, line_items=steps.lines(steps.CART)))
    card = credit_card_service_pb2.CreditCard(id=f"{tag}-card", token="tok_approve", partial_number="4242")
    await guest.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=card))
    await _worked_out(guest, id)
    payment = payment_pb2.Payment(type="credit_card", credit_card_id=card.id)
    await guest.checkout.AddPayments(checkout.AddPaymentsRequest(order_id=id, payments=[payment]))


async def _open(owner: AsyncWaybill) -> None:
    """The channel of guests, once, with an address to buy at for everyone of theirs; and the shop takes people who register."""
    with suppress(WaybillError):
        await open_channel(owner)
    shop = api_client_service_pb2.ApiClient(id=SHOP, registration_buyer_id="acme")
    mask = FieldMask(paths=["registration_buyer_id"])
    await owner.api_clients.UpdateApiClient(api_client_service_pb2.UpdateApiClientRequest(api_client=shop, update_mask=mask))


async def _worked_out(client: AsyncWaybill, id: str) -> None:
    sheet = (await client.checkout.EstimateShipping(checkout.EstimateShippingRequest(order_id=id))).worksheet
    chosen = [checkout.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
    await client.checkout.SelectShipMethods(checkout.SelectShipMethodsRequest(order_id=id, selections=chosen))
    await client.checkout.CalculateOrder(checkout.CalculateOrderRequest(order_id=id))


async def transfer(people: People, tag: str) -> None:
    """Ada shows the guest's token, and once more when she was answered."""
    _, id, token = _GUESTS[tag]
    request = order_service_pb2.TransferOrderRequest(anonymous_token=token, request_id=f"{tag}-transfer")
    for _ in range(2):
        answer = await until_answered(lambda: people.ada.orders.TransferOrder(request))
        assert (answer.order.id, answer.order.guest, answer.order.from_user.id) == (id, False, "ada")
        assert len(answer.line_items) == len(steps.CART)


async def is_adas(people: People, tag: str) -> None:
    """It was transferred once, is hers alone, has lost the payment, and can be bought."""
    guest, id, token = _GUESTS.pop(tag)
    order = (await until_answered(lambda: steps.read(people.ada, id))).order
    assert (order.client_id, order.from_party.id, order.calculated) == (SHOP, "acme", False), order
    history = await people.ada.orders.ListOrderHistory(
        order_service_pb2.ListOrderHistoryRequest(order_id=id, direction=order_pb2.DIRECTION_OUTGOING)
    )
    moved = [event for event in history.events if event.type == "order_transferred"]
    assert len(moved) == 1, f"transferred {len(moved)} times"
    read = order_service_pb2.GetOrderRequest(order_id=id, direction=order_pb2.DIRECTION_OUTGOING)
    assert await refusal(lambda: guest.orders.GetOrder(read)) == "RESOURCE_NOT_FOUND"
    again = order_service_pb2.TransferOrderRequest(anonymous_token=token)
    for client in (people.ada, people.bob):
        assert await refusal(lambda client=client: client.orders.TransferOrder(again)) == "RESOURCE_NOT_FOUND"  # type: ignore[misc]
    await guest.close()
    assert not (await people.ada.checkout.ListPayments(checkout.ListPaymentsRequest(order_id=id))).payments
    await until_answered(lambda: _worked_out(people.ada, id))
    await until_answered(lambda: steps.pay(people.ada, id))
    order = await steps.submit_until_accepted(people.ada, id)
    assert order.status == order_pb2.ORDER_STATUS_OPEN, order
    await steps.settled(people.ada, id)


async def registration(people: People, tag: str) -> None:
    """Somebody has registered, and the program that sends e-mail has read the message."""
    await _open(people.owner)
    form = registration_service_pb2.RegisterRequest(
        client_id=SHOP, username=tag, password=PASSWORD, email=f"{tag}@example.com", first_name="Zoe", last_name="Zed"
    )
    await people.owner.registrations.Register(form)
    listed = message_service_pb2.ListMessagesRequest(filter=f'username = "{tag}"')
    (message,) = (await people.owner.messages.ListMessages(listed)).messages
    _SENT[tag] = message.token


async def confirm(people: People, tag: str) -> None:
    """Whoever has the token and the password confirms."""
    request = registration_service_pb2.ConfirmRegistrationRequest(token=_SENT[tag], password=PASSWORD)
    first = await until_answered(lambda: people.owner.registrations.ConfirmRegistration(request))
    again = await until_answered(lambda: people.owner.registrations.ConfirmRegistration(request))
    assert again.user_id == first.user_id, "a repeat made another user"


async def is_user(people: People, tag: str) -> None:
    """One user was made, who can sign in; the token is stored no longer."""
    listed = user_service_pb2.ListUsersRequest(filter=f'username = "{tag}"')
    (made,) = (await until_answered(lambda: people.owner.users.ListUsers(listed))).users
    assert (made.party.id, made.active, list(made.roles)) == ("acme", True, [])
    mail = message_service_pb2.ListMessagesRequest(filter=f'username = "{tag}"')
    (message,) = (await people.owner.messages.ListMessages(mail)).messages
    assert not message.token
    async with AsyncWaybill("", SHOP, username=tag, password=PASSWORD, addresses=people.addresses) as client:
        await client.users.GetMe(user_service_pb2.GetMeRequest())
