"""People who do all there is to do to the same few orders at the same time.

Nobody waits for anybody, and most of what they try is refused. What succeeds has to agree with everything else that did, and
no refusal may be a defect of ours.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import grpc
from google.protobuf.struct_pb2 import Struct

from services.host.sample.marketplace import CURRENCY, ITEMS
from services.host.sample.parties import People
from tests.chaos import steps
from waybill.fulfillment.v1 import shipment_service_pb2, supplier_order_pb2, supplier_order_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2
from waybill.order.v1 import line_item_service_pb2 as line_pb
from waybill.payment.v1 import payment_service_pb2
from waybill_client import AsyncWaybill, WaybillError, money

DEFECTS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS, grpc.StatusCode.UNIMPLEMENTED)
"""What nobody may be answered, whatever meets."""
CARDS = {"approve": 10, "decline": 1, "late": 1, "decline_refund": 1}


class Nothing(Exception):
    """There is nothing to act on."""


@dataclass(slots=True)
class Brawl:
    """What has been tried, and what came of it."""

    people: People
    chance: random.Random
    tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By act and reason of its refusal; `ok` when it succeeded."""
    defects: list[str] = field(default_factory=list)

    async def fight(self, orders: Sequence[str], people: int, acts: int) -> None:
        """So many people act so often on these orders."""
        seeds = [self.chance.getrandbits(32) for _ in range(people)]
        await asyncio.gather(*(Person(self, n, orders, random.Random(seed)).act(acts) for n, seed in enumerate(seeds)))

    def done(self, act: str) -> int:
        """How often it succeeded."""
        return self.tried[act, "ok"]


class Person:
    """Everyone in one: buyer, seller and suppliers."""

    def __init__(self, brawl: Brawl, number: int, orders: Sequence[str], chance: random.Random) -> None:
        self._brawl = brawl
        self._number = number
        self._orders = orders
        self._chance = chance
        self._ada, self._sam, self._clerks = brawl.people.ada, brawl.people.sam, brawl.people.clerks
        self._count = 0

    async def act(self, times: int) -> None:
        """One act after the other."""
        for _ in range(times):
            order = self._chance.choice(self._orders)
            name = await self._wish(order)
            self._count += 1
            tag = f"{order}-{self._number}-{self._count}"
            try:
                await ACTS[name](self, order, tag)
                result = "ok"
            except Nothing:
                result = "nothing"
            except WaybillError as error:
                result = error.reason or error.code.name
                if error.code in DEFECTS:
                    self._brawl.defects.append(f"{name} {order}: {error}")
            self._brawl.tried[name, result] += 1

    async def _wish(self, order: str) -> str:
        """Something that makes sense for an order as it was a moment ago, and may make none by now."""
        try:
            status = (await steps.read(self._ada, order)).order.status
        except WaybillError:
            weights = NEW
        else:
            weights = CART if status == order_pb2.ORDER_STATUS_UNSUBMITTED else SUBMITTED
        return self._chance.choices(list(weights), list(weights.values()))[0]

    def _cart(self) -> dict[str, int]:
        products = self._chance.sample([item.id for item in ITEMS], self._chance.randint(1, 4))
        return {product: self._chance.randint(1, 4) for product in products}

    def _card(self) -> str:
        return self._chance.choices(list(CARDS), list(CARDS.values()))[0]

    async def _part(self, order: str) -> tuple[AsyncWaybill, supplier_order_pb2.SupplierOrder]:
        """A clerk and a supplier order that is the clerk's."""
        clerk = self._chance.choice(list(self._clerks.values()))
        request = supplier_order_service_pb2.ListSupplierOrdersRequest(filter=f'order_id = "{order}"')
        found = (await clerk.supplier_orders.ListSupplierOrders(request)).supplier_orders
        if not found:
            raise Nothing
        return clerk, self._chance.choice(list(found))

    async def _payments(self, order: str) -> list[str]:
        found = (await self._ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id=order))).payments
        if not found:
            raise Nothing
        return [payment.id for payment in found]

    async def create(self, order: str, tag: str) -> None:
        made = order_pb2.Order(id=order)
        lines = steps.lines(self._cart())
        await self._ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=made, line_items=lines, request_id=tag))

    async def place(self, order: str, tag: str) -> None:
        await steps.place(self._ada, order, self._cart(), self._card())

    async def update(self, order: str, tag: str) -> None:
        xp = Struct()
        xp.update({"tag": tag})
        changed = order_pb2.Order(id=order, comments=tag, xp=xp)
        await self._ada.orders.UpdateOrder(order_service_pb2.UpdateOrderRequest(order=changed, request_id=tag))

    async def add_line(self, order: str, tag: str) -> None:
        line = line_item_pb2.LineItem(product_id=self._chance.choice(ITEMS).id, quantity=1)
        await self._ada.line_items.AddLineItems(line_pb.AddLineItemsRequest(order_id=order, line_items=[line], request_id=tag))

    async def change_line(self, order: str, tag: str) -> None:
        line = line_item_pb2.LineItem(id=f"l{self._chance.randint(1, 4)}", quantity=self._chance.randint(1, 6))
        await self._ada.line_items.UpdateLineItems(
            line_pb.UpdateLineItemsRequest(order_id=order, line_items=[line], request_id=tag)
        )

    async def remove_line(self, order: str, tag: str) -> None:
        ids = [f"l{self._chance.randint(1, 4)}"]
        await self._ada.line_items.RemoveLineItems(
            line_pb.RemoveLineItemsRequest(order_id=order, line_item_ids=ids, request_id=tag)
        )

    async def estimate(self, order: str, tag: str) -> None:
        await self._ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=order, request_id=tag))

    async def select(self, order: str, tag: str) -> None:
        sheet = (await self._ada.checkout.GetWorksheet(pb.GetWorksheetRequest(order_id=order))).worksheet
        if not sheet.ship_estimates:
            raise Nothing
        chosen = [
            pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id=self._chance.choice(e.ship_methods).id)
            for e in sheet.ship_estimates
        ]
        await self._ada.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id=order, selections=chosen, request_id=tag))

    async def calculate(self, order: str, tag: str) -> None:
        await self._ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=order, request_id=tag))

    async def pay(self, order: str, tag: str) -> None:
        payments = steps.payments(self._card())
        await self._ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id=order, payments=payments, request_id=tag))

    async def unpay(self, order: str, tag: str) -> None:
        ids = await self._payments(order)
        await self._ada.checkout.RemovePayments(pb.RemovePaymentsRequest(order_id=order, payment_ids=ids, request_id=tag))

    async def submit(self, order: str, tag: str) -> None:
        await self._ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=order, request_id=tag))

    async def check_out(self, order: str, tag: str) -> None:
        for number, step in enumerate((Person.estimate, Person.select, Person.calculate, Person.pay, Person.submit)):
            await step(self, order, f"{tag}-{number}")

    async def validate(self, order: str, tag: str) -> None:
        await self._ada.checkout.ValidateOrder(pb.ValidateOrderRequest(order_id=order))

    async def look(self, order: str, tag: str) -> None:
        await self._ada.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=order))

    async def cancel(self, order: str, tag: str) -> None:
        whoever = self._chance.choice([self._ada, self._sam])
        await whoever.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=order, request_id=tag))

    async def hold(self, order: str, tag: str) -> None:
        await steps.hold(self._sam, order, tag)

    async def release(self, order: str, tag: str) -> None:
        found = (await steps.read(self._sam, order)).order.holds
        holds = [h for h in found if h.type == order_pb2.ORDER_HOLD_TYPE_MANUAL and not h.HasField("release_time")]
        if not holds:
            raise Nothing
        await steps.release(self._sam, order, self._chance.choice(holds).comment)

    async def forward(self, order: str, tag: str) -> None:
        await steps.forward(self._sam, order)

    async def accept(self, order: str, tag: str) -> None:
        clerk, part = await self._part(order)
        await steps.accept(clerk, part.id)

    async def reject(self, order: str, tag: str) -> None:
        clerk, part = await self._part(order)
        await steps.reject(clerk, part.id)

    async def ship(self, order: str, tag: str) -> None:
        clerk, part = await self._part(order)
        units = {line.line_item_id: self._chance.randint(1, max(1, line.quantity)) for line in part.line_items}
        await steps.ship(clerk, part.id, units, tag, id=tag)

    async def pack(self, order: str, tag: str) -> None:
        clerk, part = await self._part(order)
        await steps.ship(clerk, part.id, {line.line_item_id: 1 for line in part.line_items}, tag, id=tag, ship_time=None)

    async def send(self, order: str, tag: str) -> None:
        clerk, _ = await self._part(order)
        request = shipment_service_pb2.ListShipmentsRequest(order_id=order)
        packed = [s for s in (await clerk.shipments.ListShipments(request)).shipments if not s.HasField("ship_time")]
        if not packed:
            raise Nothing
        await steps.send(clerk, self._chance.choice(packed).id)

    async def capture(self, order: str, tag: str) -> None:
        id = self._chance.choice(await self._payments(order))
        await self._sam.payments.CapturePayment(payment_service_pb2.CapturePaymentRequest(payment_id=id, request_id=tag))

    async def refund(self, order: str, tag: str) -> None:
        id = self._chance.choice(await self._payments(order))
        await self._sam.payments.RefundPayment(
            payment_service_pb2.RefundPaymentRequest(payment_id=id, amount=money("1.00", CURRENCY), request_id=tag)
        )


NEW = {"create": 1.0, "place": 3.0}
CART = {
    "check_out": 6.0,
    "submit": 3.0,
    "estimate": 0.5,
    "select": 1.0,
    "calculate": 1.0,
    "pay": 1.0,
    "unpay": 0.2,
    "add_line": 0.2,
    "change_line": 0.3,
    "remove_line": 0.1,
    "update": 0.2,
    "validate": 1.0,
    "look": 1.0,
    "cancel": 0.1,
}
SUBMITTED = {
    "accept": 4.0,
    "ship": 6.0,
    "pack": 3.0,
    "send": 3.0,
    "hold": 0.6,
    "release": 1.5,
    "reject": 0.5,
    "cancel": 0.2,
    "forward": 0.5,
    "capture": 0.7,
    "refund": 1.0,
    "update": 0.5,
    "look": 1.0,
    "submit": 0.3,
    "check_out": 0.3,
}
ACTS: dict[str, Callable[[Person, str, str], Awaitable[None]]] = {
    name: getattr(Person, name) for name in sorted({*NEW, *CART, *SUBMITTED})
}
