"""What suppliers and the seller do with the trade order: an answer that does not come, shipments in parts, what is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from services.host.demo.b2b import terms
from services.host.demo.b2b.build import ORDER, payments
from services.host.demo.b2b.figures import Figures, counted
from services.host.demo.b2b.setup import ANSWER
from services.host.demo.b2b.terms import BOARD, CURRENCY, FORGE, KNIFE, LIGHTS, QUANTITIES, SELLER, STONE
from services.host.demo.narrator import Narrator
from services.host.demo.stage import Stage
from waybill.fulfillment.v1 import inventory_pb2, shipment_pb2, shipment_service_pb2, supplier_order_pb2
from waybill.fulfillment.v1 import inventory_service_pb2 as stock_pb
from waybill.fulfillment.v1 import reasons as fulfillment_reasons
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill, WaybillError, money, text
from waybill_client.money import decimal

PATIENCE = 60.0
"""Seconds that the story waits for what services do by themselves."""
STEPS = ((SELLER, BOARD, 4), (FORGE, KNIFE, 5), (FORGE, STONE, 5), (SELLER, BOARD, terms.BOARDS_ARRIVING), (FORGE, KNIFE, 4))
"""Who ships what, one parcel after the other."""


def captures() -> list[Decimal]:
    """What each parcel that is not yet paid by points takes from the card."""
    gone = dict.fromkeys(QUANTITIES, 0)
    before, made = Decimal(0), []
    for _, product, units in STEPS:
        gone[product] += units
        after = terms.charged(terms.due(gone))
        if after > before:
            made.append(after - before)
        before = after
    return made


@dataclass(slots=True)
class Course:
    """Where the order stands: what has left, and what was shown of it."""

    gone: dict[str, int] = field(default_factory=lambda: dict.fromkeys(QUANTITIES, 0))
    shown: list[dict[str, str]] = field(default_factory=list)


async def until(read: Callable[[], Awaitable[Any]], reached: Callable[[Any], bool]) -> Any:
    """What is read once it is as it is waited for, or after a minute as it is then."""
    for _ in range(int(PATIENCE * 10)):
        found = await read()
        if reached(found):
            return found
        await asyncio.sleep(0.1)
    return found


async def reported(hanna: AsyncWaybill, order_id: str, gone: Mapping[str, int], figures: Figures) -> None:
    """Waits until the buyer's order knows what has left of its lines."""
    request = order_service_pb2.GetOrderRequest(
        order_id=order_id, direction=order_pb2.DIRECTION_OUTGOING, include_line_items=True
    )

    async def known() -> dict[str, int]:
        answer = await hanna.orders.GetOrder(request)
        return {line.product_id: line.quantity_shipped for line in answer.line_items}

    found = await until(known, lambda now: counted(now) == counted(gone))
    figures.holds(f"{order_id}: units that have left", counted(found), counted(gone))


async def parts(seller: AsyncWaybill, order_id: str) -> dict[str, supplier_order_pb2.SupplierOrder]:
    """The supplier orders of an order, by supplier, as they are now."""
    page = await seller.supplier_orders.ListSupplierOrders(
        so.ListSupplierOrdersRequest(filter=f'order_id = "{order_id}"', order_by="id")
    )
    return {each.supplier_id: each for each in page.supplier_orders}


async def unanswered(stage: Stage, narrator: Narrator, figures: Figures) -> None:
    """Northforge and the seller accept, Lumenworks does not answer, and its whetstones go to Northforge."""
    sam, people = stage.people.sam, stage.people
    before = await parts(sam, ORDER)
    for supplier, client in ((FORGE, people.clerks[FORGE]), (SELLER, sam)):
        await client.supplier_orders.AcceptSupplierOrder(so.AcceptSupplierOrderRequest(supplier_order_id=before[supplier].id))
        narrator.line(_who(supplier), f"accepts {before[supplier].id}")
    given = before[LIGHTS].accept_by.ToDatetime() - before[LIGHTS].create_time.ToDatetime()
    narrator.line(
        "waybill fulfillment",
        f"gives Lumenworks {figures.holds('time to answer', str(given), str(ANSWER))} for {before[LIGHTS].id}",
    )
    await stage.later(given + timedelta(seconds=1), narrator)
    after = await until(lambda: parts(sam, ORDER), lambda now: now[LIGHTS].status != before[LIGHTS].status)
    figures.holds("Lumenworks", status_of(after[LIGHTS]), "REJECTED")
    narrator.line("waybill fulfillment", f"{after[LIGHTS].id} is {status_of(after[LIGHTS])}: {after[LIGHTS].reject_comment}")
    lines = {line.product_id: line.quantity for line in after[FORGE].line_items}
    figures.holds("Northforge's lines", counted(lines), counted({KNIFE: QUANTITIES[KNIFE], STONE: QUANTITIES[STONE]}))
    narrator.line("waybill fulfillment", f"Northforge has whetstones as well: they join {after[FORGE].id}")
    figures.same("Lumenworks' total", after[LIGHTS].total, Decimal(0))
    wanted = {
        supplier: sum((terms.sold()[p].total for p in of), Decimal(0))
        for supplier, of in ((FORGE, (KNIFE, STONE)), (SELLER, (BOARD,)))
    }
    shown = [(name_of(s), after[s].id, figures.same(f"{name_of(s)}: total", after[s].total, wanted[s])) for s in wanted]
    narrator.table(("who delivers", "supplier order", "total"), shown, right=(2,))


async def ship_in_parts(stage: Stage, hanna: AsyncWaybill, narrator: Narrator, figures: Figures) -> Course:
    """Each parcel, and what points and card have taken after it."""
    course, sam = Course(), stage.people.sam
    for number, (supplier, product, units) in enumerate(STEPS, start=1):
        client = stage.people.clerks[supplier] if supplier else sam
        mine = (await parts(sam, ORDER))[supplier]
        if number == 1:
            refused = await _too_many(client, mine.id, figures)
            narrator.line(_who(supplier), f"would ship {units + 1} boards, of which {units} are there: {refused}")
        if product == BOARD and course.gone[BOARD]:
            await _receive(stage.owner, units)
            narrator.line("seller owner", f"takes in {units} of the boards that were waited for")
        await ship(client, mine.id, {product: units}, f"{ORDER}-parcel-{number}")
        course.gone[product] += units
        course.shown.append(await _after(stage, hanna, course, figures))
        narrator.line(_who(supplier), f"ships {units} x {product}")
    narrator.table(
        ("after parcel", "has shipped", "worth", "of it by points", "charged to the card"),
        [(str(n), s["units"], s["shipped"], s["points"], s["card"]) for n, s in enumerate(course.shown, start=1)],
        right=(2, 3, 4),
    )
    return course


async def _after(stage: Stage, hanna: AsyncWaybill, course: Course, figures: Figures) -> dict[str, str]:
    await reported(hanna, ORDER, course.gone, figures)
    worth = terms.due(course.gone)
    wanted, at = terms.charged(worth), f"after {counted(course.gone)}"
    points, card = await until(lambda: payments(hanna, ORDER), lambda now: decimal(now[1].captured_amount) == wanted)
    shipped = sum((decimal(part.shipped_total) for part in (await parts(stage.people.sam, ORDER)).values()), Decimal(0))
    taken = min(worth, terms.BY_POINTS)
    figures.same(f"points {at}", points.due_amount, terms.BY_POINTS)
    return {
        "units": counted(course.gone),
        "shipped": figures.same(f"shipped {at}", money(shipped, CURRENCY), worth),
        "points": text(money(taken, CURRENCY)),
        "card": figures.same(f"card {at}", card.captured_amount, wanted),
    }


async def _too_many(client: AsyncWaybill, supplier_order_id: str, figures: Figures) -> str:
    try:
        await ship(client, supplier_order_id, {BOARD: terms.BOARDS_ON_HAND + 1}, f"{ORDER}-too-many")
    except WaybillError as error:
        return figures.holds("more boards than there are", error.reason, fulfillment_reasons.STOCK_SHORTAGE)
    return figures.holds("more boards than there are", "SHIPPED", fulfillment_reasons.STOCK_SHORTAGE)


async def _receive(owner: AsyncWaybill, units: int) -> None:
    came = stock_pb.StockAdjustment(
        inventory_record_id=f"{BOARD}-own", kind=inventory_pb2.STOCK_MOVEMENT_KIND_RECEIVE, change=units
    )
    await owner.inventory.AdjustStock(stock_pb.AdjustStockRequest(adjustments=[came], request_id="demo-boards"))


async def ship(client: AsyncWaybill, supplier_order_id: str, units: Mapping[str, int], id: str) -> None:
    """A parcel that leaves at once. Lines have the ids of their products here."""
    items = [
        shipment_pb2.ShipmentItem(supplier_order_id=supplier_order_id, line_item_id=line, quantity=quantity)
        for line, quantity in units.items()
    ]
    shipment = shipment_pb2.Shipment(id=id, carrier="swift", items=items)
    shipment.ship_time.GetCurrentTime()
    await client.shipments.CreateShipment(shipment_service_pb2.CreateShipmentRequest(shipment=shipment, request_id=id))


async def give_up(sam: AsyncWaybill, order_id: str) -> Any:
    """The seller cancels what is open of an order; the order as it is then."""
    request = order_service_pb2.CancelOrderRequest(
        order_id=order_id, comment="the rest is not to be had", request_id=f"{order_id}-end"
    )
    return (await sam.orders.CancelOrder(request)).order


def _who(supplier: str) -> str:
    return f"supplier {supplier}" if supplier else "seller sam"


def name_of(supplier: str) -> str:
    """Who delivers, in words."""
    return supplier or "the seller"


def status_of(order: supplier_order_pb2.SupplierOrder) -> str:
    """Where a supplier order stands."""
    return supplier_order_pb2.SupplierOrderStatus.Name(order.status).removeprefix("SUPPLIER_ORDER_STATUS_")
