"""The story of a guest: a cart without a name, a registration, the order taken along, and bought."""

from __future__ import annotations

from typing import Any

from services import roles
from services.host.check import check
from services.host.demo.narrator import Narrator
from services.host.demo.stage import Stage, checked
from services.host.sample.marketplace import CURRENCY, party
from waybill.directory.v1 import (
    api_client_service_pb2,
    buyer_service_pb2,
    message_service_pb2,
    ordering_context_service_pb2,
    registration_service_pb2,
    security_profile_service_pb2,
    user_service_pb2,
)
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill.pricing.v1 import price_schedule_service_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, WaybillError, money, text

WEB, VISITORS, MEMBERS, VISITOR = "web", "visitors", "members", "visitor"
NAME, PASSWORD = "gwen", "a quiet place by the sea"
HOME = Address(
    first_name="Gwen", last_name="Gray", lines=["1 Home St"], city="Reno", region="NV", postal_code="89501", country="US"
)
GUEST = "stranger a visitor"


async def perform(stage: Stage, narrator: Narrator) -> dict[str, Any]:
    """The whole story; returns it as data."""
    narrator.chapter("A channel that guests may shop in")
    await open_channel(stage.owner)
    narrator.line("seller owner", f"channel {WEB}: guests are of {VISITORS}, who registers of {MEMBERS}")
    narrator.line("seller owner", "members pay 10.00 less for an anvil")
    narrator.chapter("A cart without a name")
    guest, other = stage.guest(WEB), stage.guest(WEB)
    try:
        cart = await _fill(guest)
        as_guest = await _priced(guest, cart.id)
        narrator.line(GUEST, f"puts 4 anvils and 2 lamps into a cart: {text(as_guest.total)}")
        hidden = await _reads(other, cart.id)
        narrator.line("stranger another", f"asks for that cart: {'SEES IT' if hidden else 'there is no such order'}")
        narrator.chapter("The visitor registers")
        answers, messages = await _register(stage, guest, narrator)
        async with stage.person(WEB, NAME, PASSWORD) as gwen:
            narrator.chapter("The order goes along")
            token = (await guest.guest_order())[1]
            taken = await gwen.orders.TransferOrder(order_service_pb2.TransferOrderRequest(anonymous_token=token))
            as_member = await _priced(gwen, taken.order.id)
            narrator.line(f"buyer {NAME}", f"takes the cart along; for her it comes to {text(as_member.total)}")
            left = await _reads(guest, cart.id)
            narrator.line(GUEST, f"looks once more: {'SEES IT' if left else 'there is no such order'}")
            narrator.chapter("Payment and submit")
            order = await _bought(gwen, cart.id)
            status = order_pb2.OrderStatus.Name(order.status).removeprefix("ORDER_STATUS_")
            narrator.line(f"buyer {NAME}", f"pays {text(order.total)} by purchase order and submits: [bold]{status}[/bold]")
    finally:
        for each in (guest, other):
            await each.close()
    report = await check(stage.owner, stage.servers)
    saved = as_guest.total.units - as_member.total.units
    answered_alike = answers["a name that is free"] == answers["a name that is taken"]
    ok = status == "OPEN" and not hidden and not left and answered_alike and saved > 0 and report.ok
    narrator.end(f"[bold]{cart.id} {status.capitalize()}[/bold], from a visitor's cart to {NAME}'s order, {text(order.total)}")
    return {
        "ok": ok,
        "order": {"id": order.id, "status": status, "guest": order.guest, "user": order.from_user.id, "total": text(order.total)},
        "total_as_guest": text(as_guest.total),
        "total_as_member": text(as_member.total),
        "seen_by_another_guest": hidden,
        "seen_by_the_guest_afterwards": left,
        "registration": answers,
        "messages": messages,
        "check": checked(report, narrator),
    }


async def open_channel(owner: AsyncWaybill) -> None:
    """The channel, the company and the user of its guests, and the company of those who register."""
    buyers = [buyer_service_pb2.Buyer(id=id, name=id.capitalize(), active=True, currency=CURRENCY) for id in (VISITORS, MEMBERS)]
    await owner.buyers.BatchCreateBuyers(buyer_service_pb2.BatchCreateBuyersRequest(buyers=buyers))
    visitor = user_service_pb2.User(
        id=VISITOR,
        username=VISITOR,
        party=party("BUYER", VISITORS),
        active=True,
        roles=[roles.SHOPPER, roles.ME_CREDIT_CARD_ADMIN],
    )
    await owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=visitor))
    profile = security_profile_service_pb2.SecurityProfile(
        id="member", name="Member", roles=[roles.SHOPPER, roles.ME_ADMIN, roles.ME_ADDRESS_ADMIN, roles.ME_CREDIT_CARD_ADMIN]
    )
    made = security_profile_service_pb2.CreateSecurityProfileRequest(security_profile=profile)
    await owner.security_profiles.CreateSecurityProfile(made)
    assigned = security_profile_service_pb2.SecurityProfileAssignment(security_profile_id="member", party=party("BUYER", MEMBERS))
    await owner.security_profiles.AssignSecurityProfiles(
        security_profile_service_pb2.AssignSecurityProfilesRequest(assignments=[assigned])
    )
    policy = ordering_context_service_pb2.OrderingPolicy(
        auto_forward=ordering_context_service_pb2.AUTO_FORWARD_ALL,
        require_ship_methods=True,
        payment_coverage=ordering_context_service_pb2.PAYMENT_COVERAGE_TOTAL,
        payment_types=["credit_card", "purchase_order"],
    )
    web = api_client_service_pb2.ApiClient(
        id=WEB,
        name="Web shop with guests",
        active=True,
        buyer_ids=[VISITORS, MEMBERS],
        anonymous_user_id=VISITOR,
        registration_buyer_id=MEMBERS,
        policy=policy,
    )
    await owner.api_clients.CreateApiClient(api_client_service_pb2.CreateApiClientRequest(api_client=web))
    await _members_price(owner)


async def _members_price(owner: AsyncWaybill) -> None:
    listed = await owner.price_schedules.GetPriceSchedule(
        price_schedule_service_pb2.GetPriceScheduleRequest(price_schedule_id="list-anvil")
    )
    breaks = [
        price_schedule_service_pb2.PriceBreak(quantity=each.quantity, price=money(str(each.price.units - 10) + ".00", CURRENCY))
        for each in listed.price_schedule.price_breaks
    ]
    schedule = price_schedule_service_pb2.PriceSchedule(
        id="members-anvil", name="Anvil, for members", currency=CURRENCY, price_breaks=breaks
    )
    await owner.price_schedules.CreatePriceSchedule(
        price_schedule_service_pb2.CreatePriceScheduleRequest(price_schedule=schedule)
    )
    assignment = price_schedule_service_pb2.PriceAssignment(
        product_id="anvil", buyer_id=MEMBERS, price_schedule_id="members-anvil"
    )
    await owner.price_schedules.AssignPriceSchedules(
        price_schedule_service_pb2.AssignPriceSchedulesRequest(assignments=[assignment])
    )


async def _fill(guest: AsyncWaybill) -> order_pb2.Order:
    named = order_pb2.OrderUser(first_name="Gwen", email="gwen@example.com")
    lines = [line_item_pb2.LineItem(product_id=product, quantity=count) for product, count in (("anvil", 4), ("lamp", 2))]
    request = order_service_pb2.CreateOrderRequest(
        order=order_pb2.Order(from_user=named, shipping_address=HOME), line_items=lines, request_id="demo-cart"
    )
    return (await guest.orders.CreateOrder(request)).order


async def _priced(client: AsyncWaybill, order_id: str) -> order_pb2.Order:
    """With the cheapest way to ship each part."""
    estimated = await client.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id=order_id))
    chosen = [
        checkout_service_pb2.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground")
        for e in estimated.worksheet.ship_estimates
    ]
    await client.checkout.SelectShipMethods(checkout_service_pb2.SelectShipMethodsRequest(order_id=order_id, selections=chosen))
    done = await client.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id=order_id))
    order: order_pb2.Order = done.worksheet.order
    return order


async def _reads(client: AsyncWaybill, order_id: str) -> bool:
    try:
        request = order_service_pb2.GetOrderRequest(order_id=order_id, direction=order_pb2.DIRECTION_OUTGOING)
        await client.orders.GetOrder(request)
    except WaybillError:
        return False
    return True


async def _register(stage: Stage, guest: AsyncWaybill, narrator: Narrator) -> tuple[dict[str, str], list[str]]:
    """By a name that is taken, then by one that is free: what is answered is the same, and what differs goes by e-mail."""
    answers: dict[str, str] = {}
    for what, name in (("a name that is taken", "ada"), ("a name that is free", NAME)):
        request = registration_service_pb2.RegisterRequest(
            client_id=WEB, username=name, password=PASSWORD, email="gwen@example.com", first_name="Gwen", last_name="Gray"
        )
        answer = await guest.registrations.Register(request)
        answers[what] = str(answer).strip() or "accepted"
        narrator.line(GUEST, f"registers as {name}: {answers[what]}")
    listed = await stage.owner.messages.ListMessages(message_service_pb2.ListMessagesRequest(order_by="create_time"))
    kinds = [message_service_pb2.MessageKind.Name(m.kind).removeprefix("MESSAGE_KIND_") for m in listed.messages]
    narrator.line("seller owner", f"finds two messages to send: {', '.join(map(_words, kinds))}")
    (token,) = [m.token for m in listed.messages if m.username == NAME]
    await guest.registrations.ConfirmRegistration(
        registration_service_pb2.ConfirmRegistrationRequest(token=token, password=PASSWORD)
    )
    ids = [message.id for message in listed.messages]
    await stage.owner.messages.MarkMessagesSent(message_service_pb2.MarkMessagesSentRequest(message_ids=ids))
    narrator.line(GUEST, f"follows the link of the message: {NAME} is a user of {MEMBERS}")
    return answers, kinds


def _words(kind: str) -> str:
    return kind.removeprefix("REGISTRATION_").replace("_", " ").lower()


async def _bought(gwen: AsyncWaybill, order_id: str) -> order_pb2.Order:
    promise = payment_pb2.Payment(type="purchase_order", purchase_order_number="4711")
    await gwen.checkout.AddPayments(checkout_service_pb2.AddPaymentsRequest(order_id=order_id, payments=[promise]))
    answer = await gwen.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id=order_id))
    order: order_pb2.Order = answer.order
    return order
