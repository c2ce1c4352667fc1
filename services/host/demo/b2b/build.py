"""The order of the trade story: three lines, what they cost and why, points and a card, the submit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from services.host.demo.b2b import terms
from services.host.demo.b2b.figures import Figures
from services.host.demo.b2b.products import BLADE, HANDLE, MARK, VARIANT, WORDS
from services.host.demo.b2b.setup import ACCOUNT, BUYER
from services.host.demo.b2b.terms import BOARD, CURRENCY, KNIFE, POINTS, QUANTITIES
from services.host.demo.narrator import Narrator
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2, order_service_pb2, price_step_pb2, worksheet_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2
from waybill_client import AsyncWaybill, money, text

ORDER, SPARE_ORDER = "TRADE-1", "TRADE-2"
HANNA = f"buyer {BUYER}"
CARD = "visa-hanna"
CHOSEN = {BLADE: "long", HANDLE: "horn", MARK: "engraved"}
ENGRAVED = "Hansa Kitchens"


async def build(hanna: AsyncWaybill, narrator: Narrator, figures: Figures, expected: datetime) -> worksheet_pb2.OrderWorksheet:
    """The cart, its parcels and its amounts."""
    specs = [line_item_pb2.LineItemSpec(spec_id=spec, option_id=option) for spec, option in CHOSEN.items()]
    specs.append(line_item_pb2.LineItemSpec(spec_id=WORDS, value=ENGRAVED))
    lines = [
        line_item_pb2.LineItem(id=product, product_id=product, quantity=quantity, specs=specs if product == KNIFE else ())
        for product, quantity in QUANTITIES.items()
    ]
    cart = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=ORDER), line_items=lines, request_id="demo-trade")
    await hanna.orders.CreateOrder(cart)
    narrator.line(HANNA, "puts into the cart: " + ", ".join(f"{units} x {product}" for product, units in QUANTITIES.items()))
    sheet = await priced(hanna, ORDER)
    knife = next(line for line in sheet.line_items if line.product_id == KNIFE)
    narrator.line("waybill catalog", f"the options make variant {figures.holds('variant', knife.variant_id, VARIANT)}")
    _steps(knife, narrator, figures)
    for each in sheet.backorders:
        waiting = figures.holds("backordered", str(each.quantity_backordered), str(QUANTITIES[BOARD] - terms.BOARDS_ON_HAND))
        when = figures.holds("expected", f"{each.expected_time.ToDatetime(UTC):%Y-%m-%d}", f"{expected:%Y-%m-%d}")
        narrator.line(
            "waybill order", f"{waiting} of {QUANTITIES[BOARD]} of {each.line_item_id} are not there yet: expected on {when}"
        )
    figures.holds("lines that wait", ", ".join(each.line_item_id for each in sheet.backorders), BOARD)
    _amounts(sheet, narrator, figures)
    return sheet


def _steps(knife: line_item_pb2.LineItem, narrator: Narrator, figures: Figures) -> None:
    narrator.line("waybill pricing", "explains the price of a knife, step by step")
    wanted = terms.knife_steps()
    figures.holds("price steps", str(len(knife.price_steps)), str(len(wanted)))
    rows = []
    for at, (step, unit) in enumerate(zip(knife.price_steps, wanted, strict=False)):
        once = terms.ENGRAVING if step.mark_up.spec_id == MARK else Decimal(0)
        each = figures.same(f"step {at + 1} for each", step.unit_amount, unit)
        total = figures.same(f"step {at + 1} once", step.line_amount, once)
        rows.append((_words(step), each, total))
    knives = terms.sold()[KNIFE]
    unit_price = figures.same("unit price of a knife", knife.unit_price, knives.unit_price)
    rows.append(("[bold]together[/bold]", unit_price, figures.same("once for all knives", knife.line_mark_up, knives.once)))
    narrator.table(("step", "each", "once"), rows, right=(1, 2))


def _words(step: price_step_pb2.PriceStep) -> str:
    if step.WhichOneof("source") == "schedule":
        return f"{step.schedule.price_schedule_id}, from {step.schedule.break_quantity} on, tax included"
    per_cent = f", {step.mark_up.percentage.value} %" if step.mark_up.percentage.value else ""
    return f"{step.mark_up.spec_id}: {step.mark_up.option_id}{per_cent}"


def _amounts(sheet: worksheet_pb2.OrderWorksheet, narrator: Narrator, figures: Figures) -> None:
    rows = []
    lines = terms.sold()
    for line in sheet.line_items:
        wanted, name = lines[line.product_id], line.product_id
        rows.append(
            (
                name,
                str(line.quantity),
                figures.same(f"{name}: unit price", line.unit_price, wanted.unit_price),
                figures.same(f"{name}: subtotal", line.subtotal, wanted.subtotal),
                figures.same(f"{name}: tax inside", line.included_tax, wanted.included_tax),
                figures.same(f"{name}: tax on top", line.tax, wanted.tax),
            )
        )
    narrator.table(("line", "units", "each", "subtotal", "tax inside", "tax on top"), rows, right=(1, 2, 3, 4, 5))
    order, every = sheet.order, lines.values()
    inside = sum((line.included_tax + terms.tax_in(line.freight) for line in every), Decimal(0))
    subtotal = figures.same("subtotal", order.subtotal, sum((line.subtotal for line in every), Decimal(0)))
    freight = figures.same("freight", order.shipping_cost, sum((line.freight for line in every), Decimal(0)))
    on_top = figures.same("tax on top", order.tax, sum((line.tax for line in every), Decimal(0)))
    total = figures.same("total", order.total, terms.total())
    narrator.line("waybill order", f"subtotal {subtotal}, freight {freight}, tax on top {on_top}, [bold]total {total}[/bold]")
    narrator.line(
        "waybill order", f"of which {figures.same('tax inside', order.included_tax, inside)} is tax that prices include"
    )


async def priced(hanna: AsyncWaybill, order_id: str) -> worksheet_pb2.OrderWorksheet:
    """The order with every parcel by ground, calculated."""
    made = await hanna.checkout.EstimateShipping(checkout_service_pb2.EstimateShippingRequest(order_id=order_id))
    chosen = [
        checkout_service_pb2.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground")
        for e in made.worksheet.ship_estimates
    ]
    await hanna.checkout.SelectShipMethods(checkout_service_pb2.SelectShipMethodsRequest(order_id=order_id, selections=chosen))
    done = await hanna.checkout.CalculateOrder(checkout_service_pb2.CalculateOrderRequest(order_id=order_id))
    sheet: worksheet_pb2.OrderWorksheet = done.worksheet
    return sheet


async def store_card(hanna: AsyncWaybill) -> None:
    """A card of hanna's."""
    card = credit_card_service_pb2.CreditCard(id=CARD, token="tok_approve", card_type="visa", partial_number="4242")
    await hanna.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=card))


async def pay(hanna: AsyncWaybill, order_id: str, by_points: Decimal, narrator: Narrator, figures: Figures) -> None:
    """Some by points, the rest by card; then the submit."""
    by_account = payment_pb2.Payment(
        id=f"{order_id}-points", type="spending_account", spending_account_id=ACCOUNT, amount=money(by_points, CURRENCY)
    )
    by_card = payment_pb2.Payment(id=f"{order_id}-card", type="credit_card", credit_card_id=CARD)
    await hanna.checkout.AddPayments(
        checkout_service_pb2.AddPaymentsRequest(order_id=order_id, payments=[by_account, by_card], request_id=f"{order_id}-pay")
    )
    answer = await hanna.checkout.SubmitOrder(
        checkout_service_pb2.SubmitOrderRequest(order_id=order_id, request_id=f"{order_id}-submit")
    )
    points, card = await payments(hanna, order_id)
    order_total = terms.total() if order_id == ORDER else terms.spare().total
    drawn = figures.same(f"{order_id}: points drawn", points.debited_units, by_points / terms.POINT, POINTS)
    held = figures.same(f"{order_id}: held on the card", card.resolved_amount, order_total - by_points)
    status = order_pb2.OrderStatus.Name(answer.order.status).removeprefix("ORDER_STATUS_")
    narrator.line(HANNA, f"pays {text(money(by_points, CURRENCY))} by points and the rest by card, and submits: {status}")
    narrator.line("waybill payment", f"draws {drawn} on the account, {held} is authorized and not charged yet")


async def payments(hanna: AsyncWaybill, order_id: str) -> tuple[payment_pb2.Payment, payment_pb2.Payment]:
    """The points and the card of an order, as they are now."""
    answer = await hanna.checkout.ListPayments(checkout_service_pb2.ListPaymentsRequest(order_id=order_id))
    found = {payment.type: payment for payment in answer.payments}
    return found["spending_account"], found["credit_card"]
