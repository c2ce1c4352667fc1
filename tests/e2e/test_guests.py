"""Guests: somebody shops without a user, by a token for one order, and may sign in later and take the order along."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from services.host.sample.marketplace import CURRENCY, PASSWORD, SHOP, party
from tests.support.guests import VISITOR, VISITORS, WEB, guest, open_to_guests
from tests.support.marketplace import INCOMING, OUTGOING, Marketplace, lines
from waybill.directory.v1 import (
    address_service_pb2,
    api_client_service_pb2,
    buyer_service_pb2,
    token_service_pb2,
    user_service_pb2,
)
from waybill.directory.v1 import cost_center_service_pb2 as centers
from waybill.fulfillment.v1 import shipment_service_pb2
from waybill.order.v1 import checkout_service_pb2 as checkout
from waybill.order.v1 import line_item_pb2, line_item_service_pb2, order_pb2
from waybill.order.v1 import order_service_pb2 as pb
from waybill.payment.v1 import credit_card_service_pb2 as cards
from waybill.payment.v1 import payment_pb2
from waybill.pricing.v1 import price_schedule_service_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, WaybillError, money

HOME = Address(first_name="Gwen", lines=["1 Home St"], city="Reno", region="NV", postal_code="89501", country="US")


@pytest.fixture
async def guests(market: Marketplace) -> AsyncIterator[list[AsyncWaybill]]:
    """Two of them."""
    await open_to_guests(market)
    made = [await guest(market) for _ in range(2)]
    yield made
    for each in made:
        await each.close()


async def refused(call: Awaitable[Any]) -> WaybillError:
    with pytest.raises(WaybillError) as error:
        await call
    return error.value


async def begun(client: AsyncWaybill, request_id: str = "one", **quantities: int) -> order_pb2.Order:
    order = order_pb2.Order(shipping_address=HOME)
    request = pb.CreateOrderRequest(order=order, line_items=lines(**quantities or {"tongs": 2}), request_id=request_id)
    return (await client.orders.CreateOrder(request)).order


async def got(client: AsyncWaybill, id: str) -> order_pb2.Order:
    return (await client.orders.GetOrder(pb.GetOrderRequest(order_id=id, direction=OUTGOING))).order


async def sent(client: AsyncWaybill, id: str, payments: list[payment_pb2.Payment]) -> order_pb2.Order:
    """From the cart to the submitted order."""
    sheet = (await client.checkout.EstimateShipping(checkout.EstimateShippingRequest(order_id=id))).worksheet
    chosen = [checkout.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
    await client.checkout.SelectShipMethods(checkout.SelectShipMethodsRequest(order_id=id, selections=chosen))
    await client.checkout.CalculateOrder(checkout.CalculateOrderRequest(order_id=id))
    await client.checkout.AddPayments(checkout.AddPaymentsRequest(order_id=id, payments=payments))
    return (await client.checkout.SubmitOrder(checkout.SubmitOrderRequest(order_id=id))).order


async def transferred(client: AsyncWaybill, token: str, request_id: str = "") -> order_pb2.Order:
    request = pb.TransferOrderRequest(anonymous_token=token, request_id=request_id)
    return (await client.orders.TransferOrder(request)).order


@pytest.mark.on_sqlite
async def test_a_guest_buys_and_another_guest_knows_nothing_of_it(market: Marketplace, guests: list[AsyncWaybill]) -> None:
    gwen, other = guests
    order = await begun(gwen)
    # The same id of a request is another request in the hands of another guest.
    others = await begun(other, tongs=1)
    assert order.id == (await gwen.guest_order())[0]
    assert (order.guest, order.from_user.id, order.from_party.id) == (True, VISITOR, VISITORS)
    assert (await begun(gwen)).id == order.id != others.id
    named = order_pb2.Order(id=order.id, from_user=order_pb2.OrderUser(first_name="Gwen", email="gwen@example.com"))
    await gwen.orders.UpdateOrder(pb.UpdateOrderRequest(order=named))
    submitted = await sent(gwen, order.id, [payment_pb2.Payment(type="purchase_order")])
    assert submitted.status == order_pb2.ORDER_STATUS_OPEN
    seen = (await market.people.owner.orders.GetOrder(pb.GetOrderRequest(order_id=order.id, direction=INCOMING))).order
    assert (seen.guest, seen.from_user.first_name, seen.from_user.email) == (True, "Gwen", "gwen@example.com")

    for call in (
        got(other, order.id),
        other.orders.UpdateOrder(pb.UpdateOrderRequest(order=order_pb2.Order(id=order.id, comments="mine"))),
        other.line_items.ListLineItems(line_item_service_pb2.ListLineItemsRequest(order_id=order.id, direction=OUTGOING)),
        other.checkout.ListPayments(checkout.ListPaymentsRequest(order_id=order.id)),
        other.orders.DeleteOrder(pb.DeleteOrderRequest(order_id=order.id)),
        other.checkout.SubmitOrder(checkout.SubmitOrderRequest(order_id=order.id)),
    ):
        assert (await refused(call)).reason == "RESOURCE_NOT_FOUND"
    listed = (await other.orders.ListOrders(pb.ListOrdersRequest(direction=OUTGOING))).orders
    assert [each.id for each in listed] == [others.id]
    shipments = await other.shipments.ListShipments(shipment_service_pb2.ListShipmentsRequest())
    assert not shipments.shipments


@pytest.mark.on_sqlite
async def test_whoever_signs_in_takes_the_order_along(market: Marketplace, guests: list[AsyncWaybill]) -> None:
    gwen, ada = guests[0], market.people.ada
    order = await begun(gwen)
    await gwen.orders.UpdateOrder(pb.UpdateOrderRequest(order=order_pb2.Order(id=order.id, comments="by the door")))
    sheet = (await gwen.checkout.EstimateShipping(checkout.EstimateShippingRequest(order_id=order.id))).worksheet
    chosen = [checkout.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
    await gwen.checkout.SelectShipMethods(checkout.SelectShipMethodsRequest(order_id=order.id, selections=chosen))
    await gwen.checkout.CalculateOrder(checkout.CalculateOrderRequest(order_id=order.id))
    promise = payment_pb2.Payment(type="purchase_order")
    await gwen.checkout.AddPayments(checkout.AddPaymentsRequest(order_id=order.id, payments=[promise]))

    taken = await transferred(ada, (await gwen.guest_order())[1], "once")
    assert (taken.id, taken.guest, taken.from_party.id, taken.client_id) == (order.id, False, "acme", SHOP)
    assert (taken.from_user.id, taken.calculated, taken.comments) == ("ada", False, "by the door")
    assert taken.shipping_address.lines == ["1 Home St"]
    assert taken.billing_address_id == "hq-acme"
    assert not (await ada.checkout.ListPayments(checkout.ListPaymentsRequest(order_id=order.id))).payments
    again = pb.TransferOrderRequest(anonymous_token=(await gwen.guest_order())[1], request_id="once")
    assert (await ada.orders.TransferOrder(again)).order.id == order.id

    assert (await refused(got(gwen, order.id))).reason == "RESOURCE_NOT_FOUND"
    assert (await refused(begun(gwen, "two"))).reason == "RESOURCE_EXISTS"
    assert (await refused(transferred(market.people.bob, (await gwen.guest_order())[1]))).reason == "RESOURCE_NOT_FOUND"
    assert (await refused(transferred(ada, (await gwen.guest_order())[1]))).reason == "RESOURCE_NOT_FOUND"
    submitted = await sent(ada, order.id, [promise])
    assert submitted.status == order_pb2.ORDER_STATUS_OPEN
    history = await ada.orders.ListOrderHistory(pb.ListOrderHistoryRequest(order_id=order.id, direction=OUTGOING))
    assert "order_transferred" in [event.type for event in history.events]


def center(id: str, buyer_id: str, user_id: str = "") -> tuple[centers.CostCenter, centers.CostCenterAssignment]:
    """A cost center, and whose it is: a user's or everyone's of the buyer."""
    given = centers.CostCenterAssignment(cost_center_id=id, user_id=user_id)
    return centers.CostCenter(id=id, name=id, buyer_id=buyer_id, active=True), given


async def furnished(owner: AsyncWaybill, *made: tuple[centers.CostCenter, centers.CostCenterAssignment]) -> None:
    ones, given = zip(*made, strict=True)
    await owner.cost_centers.BatchCreateCostCenters(centers.BatchCreateCostCentersRequest(cost_centers=ones))
    await owner.cost_centers.AssignCostCenters(centers.AssignCostCentersRequest(assignments=given))


async def booked(client: AsyncWaybill, *named: str) -> order_pb2.Order:
    made = [line_item_pb2.LineItem(id=f"b{i}", product_id="tongs", quantity=1, cost_center=one) for i, one in enumerate(named)]
    request = pb.CreateOrderRequest(order=order_pb2.Order(shipping_address=HOME), line_items=made)
    return (await client.orders.CreateOrder(request)).order


@pytest.mark.on_sqlite
async def test_whoever_takes_an_order_along_keeps_the_cost_centers_that_are_usable_and_no_others(
    market: Marketplace, guests: list[AsyncWaybill]
) -> None:
    (gwen, other), people = guests, market.people
    order = await booked(gwen, "Travel", "hers", "bobs", "")
    await furnished(people.owner, center("hers", "acme", "ada"), center("bobs", "acme", "bob"))
    await furnished(people.owner, center("walk-in", VISITORS), center("shared", VISITORS, VISITOR))
    assert {(f.field, f.reason) for f in (await refused(booked(other, "walk-in", "shared", "hers"))).fields} == {
        (f"line_items[{i}].cost_center", "COST_CENTER_NOT_ALLOWED") for i in (1, 2)
    }, "what the user has whom guests share is no guest's"
    await booked(other, "walk-in")

    taken = await people.ada.orders.TransferOrder(
        pb.TransferOrderRequest(anonymous_token=(await gwen.guest_order())[1], request_id="once")
    )
    assert [line.cost_center for line in taken.line_items] == ["", "hers", "", ""]
    listing = line_item_service_pb2.ListLineItemsRequest(order_id=order.id, direction=OUTGOING)
    assert (await people.ada.line_items.ListLineItems(listing)).line_items == taken.line_items
    history = await people.ada.orders.ListOrderHistory(pb.ListOrderHistoryRequest(order_id=order.id, direction=OUTGOING))
    (event,) = [event for event in history.events if event.type == "order_transferred"]
    assert dict(event.data) == {"client_id": WEB, "user_id": VISITOR, "cost_centers_cleared": 2}
    assert (await sent(people.ada, order.id, [payment_pb2.Payment(type="purchase_order")])).is_submitted
    (theirs,) = (
        await people.bob.orders.TransferOrder(pb.TransferOrderRequest(anonymous_token=(await other.guest_order())[1]))
    ).line_items
    assert theirs.cost_center == "", "of the guests' own company"


async def test_an_order_that_is_taken_along_has_the_prices_of_whoever_has_it_now(
    market: Marketplace, guests: list[AsyncWaybill]
) -> None:
    gwen, people = guests[0], market.people
    await begun(gwen)
    schedule = price_schedule_service_pb2.PriceSchedule(id="acme-tongs", name="Acme's", currency=CURRENCY)
    schedule.price_breaks.add(quantity=1, price=money("1.25", CURRENCY))
    made = price_schedule_service_pb2.CreatePriceScheduleRequest(price_schedule=schedule)
    await people.owner.price_schedules.CreatePriceSchedule(made)
    own = price_schedule_service_pb2.PriceAssignment(product_id="tongs", buyer_id="acme", price_schedule_id="acme-tongs")
    assigning = price_schedule_service_pb2.AssignPriceSchedulesRequest(assignments=[own])
    await people.owner.price_schedules.AssignPriceSchedules(assigning)
    request = pb.TransferOrderRequest(anonymous_token=(await gwen.guest_order())[1], request_id="taken")
    taken = await people.ada.orders.TransferOrder(request)
    assert [line.price_schedule_id for line in taken.line_items] == ["acme-tongs"]
    assert (taken.order.subtotal, list(taken.price_problems)) == (money("2.50", CURRENCY), [])
    assert await people.ada.orders.TransferOrder(request) == taken
    await market.check()


async def test_what_stands_against_a_transfer_leaves_the_order_with_the_guest(
    market: Marketplace, guests: list[AsyncWaybill]
) -> None:
    gwen, people = guests[0], market.people
    order = await begun(gwen)
    _, token = await gwen.guest_order()
    ada_token = await people.owner.tokens.IssueToken(
        token_service_pb2.IssueTokenRequest(
            client_id=SHOP, password=token_service_pb2.PasswordGrant(username="ada", password=PASSWORD)
        )
    )
    for wrong in ("x.y.z", token[:-4] + "AAAA", ada_token.access_token):
        error = await refused(transferred(people.ada, wrong))
        assert [(f.field, f.reason) for f in error.fields] == [("anonymous_token", "GUEST_TOKEN_INVALID")]
    # The channel admits acme alone, beside the company that guests share.
    assert (await refused(transferred(people.gil, token))).reason == "BUYER_NOT_ADMITTED"
    assert (await refused(transferred(guests[1], token))).reason == "GUEST_NOT_ADMITTED"
    assert (await refused(transferred(people.owner, token))).reason == "PARTY_NOT_ADMITTED"

    mark = buyer_service_pb2.Buyer(id="euro", name="Euro", active=True, currency="EUR")
    await people.owner.buyers.CreateBuyer(buyer_service_pb2.CreateBuyerRequest(buyer=mark))
    user = user_service_pb2.User(
        id="eva", username="eva", party=party("BUYER", "euro"), active=True, password=PASSWORD, roles=["Shopper"]
    )
    await people.owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=user))
    wider = api_client_service_pb2.ApiClient(id=WEB, buyer_ids=[VISITORS, "acme", "euro"])
    await people.owner.api_clients.UpdateApiClient(api_client_service_pb2.UpdateApiClientRequest(api_client=wider))
    async with AsyncWaybill(market.address, WEB, username="eva", password=PASSWORD) as eva:
        error = await refused(transferred(eva, token))
        assert [(f.field, f.reason) for f in error.fields] == [("anonymous_token", "CURRENCY_MISMATCH")]
    assert (await got(gwen, order.id)).guest


async def test_nothing_that_the_shared_user_keeps_is_a_guests(market: Marketplace, guests: list[AsyncWaybill]) -> None:
    gwen, other = guests
    owner = market.people.owner
    book = party("BUYER", VISITORS)
    for id, user in (("own", VISITOR), ("everyones", "")):
        entry = Address(id=id, lines=["9 Shared St"], city="Reno", region="NV", postal_code="89501", country="US")
        made = address_service_pb2.AddressEntry(party=book, address=entry)
        await owner.addresses.CreateAddresses(address_service_pb2.CreateAddressesRequest(entries=[made]))
        assigned = address_service_pb2.AddressAssignment(party=book, address_id=id, user_id=user, shipping=True, billing=True)
        await owner.addresses.AssignAddresses(address_service_pb2.AssignAddressesRequest(assignments=[assigned]))
    kept = cards.CreditCard(id="kept", buyer_id=VISITORS, user_id=VISITOR, token="tok_kept", partial_number="1111")
    await owner.credit_cards.CreateCreditCard(cards.CreateCreditCardRequest(credit_card=kept))

    order = (await gwen.orders.CreateOrder(pb.CreateOrderRequest(line_items=lines(tongs=1)))).order
    assert (order.shipping_address_id, order.from_user.first_name) == ("everyones", "")
    named = order_pb2.Order(id=order.id, shipping_address_id="own")
    error = await refused(gwen.orders.UpdateOrder(pb.UpdateOrderRequest(order=named)))
    assert [f.reason for f in error.fields] == ["ADDRESS_NOT_FOUND"]
    await gwen.orders.UpdateOrder(pb.UpdateOrderRequest(order=order_pb2.Order(id=order.id, shipping_address=HOME)))
    assert not (await gwen.credit_cards.ListCreditCards(cards.ListCreditCardsRequest())).credit_cards

    own = cards.CreditCard(id="gwens", token="tok_gwen", partial_number="4242")
    made = (await gwen.credit_cards.CreateCreditCard(cards.CreateCreditCardRequest(credit_card=own))).credit_card
    assert (made.order_id, made.user_id) == (order.id, VISITOR)
    assert (
        await refused(other.credit_cards.GetCreditCard(cards.GetCreditCardRequest(credit_card_id="gwens")))
    ).reason == "RESOURCE_NOT_FOUND"
    others = await begun(other)
    await other.checkout.EstimateShipping(checkout.EstimateShippingRequest(order_id=others.id))
    for card in ("gwens", "kept"):
        payment = payment_pb2.Payment(type="credit_card", credit_card_id=card)
        with pytest.raises(WaybillError) as refusal:
            await sent(other, others.id, [payment])
        assert [f.reason for f in refusal.value.fields] == ["CARD_NOT_FOUND"]
    submitted = await sent(gwen, order.id, [payment_pb2.Payment(type="credit_card", credit_card_id="gwens")])
    assert submitted.status == order_pb2.ORDER_STATUS_OPEN


async def test_a_guest_makes_the_one_order_of_its_token(market: Marketplace, guests: list[AsyncWaybill]) -> None:
    gwen = guests[0]
    named = pb.CreateOrderRequest(order=order_pb2.Order(id="MINE", shipping_address=HOME), line_items=lines(tongs=1))
    error = await refused(gwen.orders.CreateOrder(named))
    assert [(f.field, f.reason) for f in error.fields] == [("order.id", "OTHER_ORDER")]
    order = await begun(gwen)
    assert (await refused(begun(gwen, "two"))).reason == "RESOURCE_EXISTS"
    for call in (
        gwen.users.GetMe(user_service_pb2.GetMeRequest()),
        gwen.users.ListUsers(user_service_pb2.ListUsersRequest()),
        gwen.addresses.ListAddresses(address_service_pb2.ListAddressesRequest(party=party("BUYER", VISITORS))),
    ):
        assert (await refused(call)).reason == "GUEST_NOT_ADMITTED"
    ada = order_pb2.Order(id="ADAS", from_user=order_pb2.OrderUser(first_name="Somebody"))
    await market.people.ada.orders.CreateOrder(pb.CreateOrderRequest(order=order_pb2.Order(id="ADAS"), line_items=lines(tongs=1)))
    error = await refused(market.people.ada.orders.UpdateOrder(pb.UpdateOrderRequest(order=ada)))
    assert [f.reason for f in error.fields] == ["NO_GUEST"]
    assert (await got(gwen, order.id)).id == order.id


async def test_a_line_goes_on_to_where_the_new_user_may_ship_to(market: Marketplace, guests: list[AsyncWaybill]) -> None:
    gwen, owner, book = guests[0], market.people.owner, party("BUYER", VISITORS)
    depot = address_service_pb2.AddressEntry(
        party=book, address=Address(id="depot", lines=["9 Depot St"], city="Reno", region="NV", postal_code="89501", country="US")
    )
    await owner.addresses.CreateAddresses(address_service_pb2.CreateAddressesRequest(entries=[depot]))
    assigned = address_service_pb2.AddressAssignment(party=book, address_id="depot", shipping=True)
    await owner.addresses.AssignAddresses(address_service_pb2.AssignAddressesRequest(assignments=[assigned]))
    line = line_item_pb2.LineItem(product_id="tongs", quantity=1, shipping_address_id="depot")
    await gwen.orders.CreateOrder(pb.CreateOrderRequest(order=order_pb2.Order(shipping_address=HOME), line_items=[line]))
    user = user_service_pb2.User(id="vera", username="vera", party=book, active=True, password=PASSWORD, roles=["Shopper"])
    await owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=user))
    async with AsyncWaybill(market.address, WEB, username="vera", password=PASSWORD) as vera:
        token = (await gwen.guest_order())[1]
        taken = await vera.orders.TransferOrder(pb.TransferOrderRequest(anonymous_token=token))
    assert [each.shipping_address_id for each in taken.line_items] == ["depot"]
