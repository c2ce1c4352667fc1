"""The life of orders against a model of units and money: whatever is done, in whatever order, clients see what the
model says, and a repeated call changes nothing."""

# Long because the model and the machine that drives it are read side by side.
from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from services.host.sample.marketplace import CURRENCY
from tests.chaos.order_money import MoneyRules, open_points, points_of, prepare
from tests.chaos.order_units import UnitRules
from tests.chaos.seeds import fresh_seed, report, rounds
from tests.chaos.shop import Call, Shop, shop
from tests.support.order_model import LIVE, PARCEL, Line, Order, Parcel, Part
from tests.support.payment_model import Payment
from waybill.fulfillment.v1 import shipment_pb2, shipment_service_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so_service
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, line_item_service_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import AsyncWaybill, WaybillError, money
from waybill_client.money import decimal

MAX_ORDERS = 3
PRODUCTS = st.sampled_from(["nail", "bolt", "lamp"])
QUANTITIES = st.integers(1, 7)
INDEX = st.integers(0, 1_000)
TYPES = {
    "gift": "spending_account",
    "points": "spending_account",
    "card": "credit_card",
    "declined": "credit_card",
    "promise": "purchase_order",
    "transfer": "transfer",
}


class OrderLife(MoneyRules, UnitRules, RuleBasedStateMachine):
    """One life: up to three orders of one buyer over three products."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.shop = shop
        self.life = shop.life()
        self.run(open_points(self.life))
        self.model = self.life.model
        self.number = 0

    def run(self, work: Any) -> Any:
        """The result of a coroutine."""
        return self.shop.run(work)

    def order(self, index: int, *statuses: str) -> Order | None:
        """One of the orders, of these statuses."""
        found = [o for o in self.model.orders.values() if not statuses or o.status in statuses]
        return found[index % len(found)] if found else None

    def part(self, index: int, *statuses: str) -> tuple[Order, str, Part] | None:
        """One of the supplier orders that hold units."""
        found = [
            (o, id, p)
            for o in self.model.orders.values()
            for id, p in o.live_parts().items()
            if not statuses or p.status in statuses
        ]
        return found[index % len(found)] if found else None

    def clerk(self, part: Part) -> AsyncWaybill:
        people = self.shop.market.people
        return people.clerks.get(part.supplier, people.sam)

    def fresh(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}-{self.life.tag}"

    @invariant()
    def clients_see_what_the_model_says(self) -> None:
        self.run(self.agrees())

    async def agrees(self) -> None:
        """Fails unless all that clients see is as the model says."""
        await self.take_what_has_shipped()
        await self.life.agrees()
        await self.money_agrees()

    def teardown(self) -> None:
        """Every open order is canceled, or shipped as far as it is not; then the books are checked."""
        if sys.exc_info()[0] is None:
            for n, order in enumerate([o for o in self.model.orders.values() if o.status == "OPEN"]):
                if (n + self.number) % 2:
                    self.ship_all_of(order)
                else:
                    self.cancel_order(order)
            self.run(self.agrees())
        self.shop.seen.update(order.status for order in self.model.orders.values())
        self.shop.seen.update(type(call.request).__name__.removesuffix("Request") for call in self.life.calls)
        self.run(self.shop.market.check())

    @initialize(
        kind=PRODUCTS,
        quantity=QUANTITIES,
        forwards=st.booleans(),
        placed=st.integers(0, 2),
        pays=st.sampled_from(["gift", "points", "card", "transfer"]),
        then=st.sampled_from(["nothing", "moved", "late", "recorded"]),
    )
    def first(self, kind: str, quantity: int, forwards: bool, placed: int, pays: str, then: str) -> None:
        """A first order, in most lives submitted, and in some with what seldom comes by chance."""
        self.create([(kind, quantity), ("bolt", 2)], forwards)
        if placed:
            self.place(0, pays, 2, "promise" if quantity % 2 else "card")
        if then == "moved":
            self.move_units(1, 0, 1, "wh-west" if kind == "bolt" else "")
        elif then == "late":
            self.time_to_answer_ends(0)
        elif then == "recorded":
            self.record_outside(0, placed or 1)

    @precondition(lambda self: len(self.model.orders) < MAX_ORDERS)
    @rule(items=st.lists(st.tuples(PRODUCTS, QUANTITIES), max_size=3), forwards=st.booleans())
    def create(self, items: list[tuple[str, int]], forwards: bool) -> None:
        order = Order(self.fresh("PO"), forwards)
        request = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=order.id))
        for kind, quantity in items:
            id = f"l{len(order.lines) + 1}"
            order.lines[id] = Line(kind, quantity)
            request.line_items.add(id=id, product_id=self.life.product(kind), quantity=quantity)
        self.run(self.life.send(self.life.buyer(order).orders.CreateOrder, request))
        self.model.orders[order.id] = order

    @rule(index=INDEX, how=st.sampled_from(["add", "change", "remove"]), which=INDEX, kind=PRODUCTS, quantity=QUANTITIES)
    def change_lines(self, index: int, how: str, which: int, kind: str, quantity: int) -> None:
        if (order := self.unsubmitted_mostly(index)) is None:
            return
        old = sorted(order.lines)[which % len(order.lines)] if order.lines else ""
        if how == "add" or not old:
            id = self.fresh("l")
            added = line_item_pb2.LineItem(id=id, product_id=self.life.product(kind), quantity=quantity)
            if self.edit(order, "AddLineItems", line_item_service_pb2.AddLineItemsRequest(order_id=order.id, line_items=[added])):
                order.lines[id] = Line(kind, quantity)
        elif how == "change":
            line = line_item_pb2.LineItem(id=old, quantity=quantity)
            if self.edit(
                order, "UpdateLineItems", line_item_service_pb2.UpdateLineItemsRequest(order_id=order.id, line_items=[line])
            ):
                order.lines[old].quantity = quantity
        elif self.edit(
            order, "RemoveLineItems", line_item_service_pb2.RemoveLineItemsRequest(order_id=order.id, line_item_ids=[old])
        ):
            del order.lines[old]

    def unsubmitted_mostly(self, index: int) -> Order | None:
        """One of the orders; three times in four one that can still be edited."""
        return (self.order(index, "UNSUBMITTED") if index % 4 else None) or self.order(index)

    def edit(self, order: Order, method: str, request: Any) -> bool:
        """Whether it was an edit: only an order that is not submitted can be edited."""
        call = getattr(self.life.buyer(order).line_items, method)
        if order.status != "UNSUBMITTED":
            assert self.run(self.life.refused(call, request)) == "ORDER_STATUS_CONFLICT"
            return False
        self.run(self.life.send(call, request))
        order.edited()
        return True

    @rule(index=INDEX)
    def check_out(self, index: int) -> None:
        if (order := self.order(index, "UNSUBMITTED")) is None:
            return
        checkout = self.life.buyer(order).checkout
        estimate = pb.EstimateShippingRequest(order_id=order.id)
        if self.model.short(order):
            why = self.run(self.life.refused(checkout.EstimateShipping, estimate))
            assert why in ("ESTIMATE_REFUSED", "INSUFFICIENT_INVENTORY")
            return
        if not order.lines:
            return
        sheet = self.run(self.life.send(checkout.EstimateShipping, estimate)).worksheet
        chosen = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
        select = pb.SelectShipMethodsRequest(order_id=order.id, selections=chosen)
        self.run(self.life.send(checkout.SelectShipMethods, select))
        calculated = self.run(self.life.send(checkout.CalculateOrder, pb.CalculateOrderRequest(order_id=order.id)))
        order.parcels_estimated = len(sheet.ship_estimates)
        order.estimated = order.calculated = True
        order.calculated_total = order.total
        assert decimal(calculated.worksheet.order.shipping_cost) == PARCEL * order.parcels_estimated

    @rule(
        index=INDEX,
        kind=st.sampled_from(["gift", "points", "card", "declined", "promise", "transfer"]),
        share=st.sampled_from([None, 1, 2, 3]),
    )
    def pay(self, index: int, kind: str, share: int | None) -> None:
        if (order := self.order(index, "UNSUBMITTED")) is None:
            return
        amount = None if share is None else (order.calculated_total / share).quantize(Decimal("0.01"))
        made = Payment(kind, amount)
        id = self.fresh("p")
        message = payment_pb2.Payment(id=id, type=TYPES[kind])
        if message.type == "spending_account":
            message.spending_account_id = self.life.gift if kind == "gift" else points_of(self.life)
        if message.type == "credit_card":
            message.credit_card_id = kind
        if amount is not None:
            message.amount.CopyFrom(money(amount, CURRENCY))
        call = self.life.buyer(order).checkout.AddPayments
        try:
            self.run(self.life.send(call, pb.AddPaymentsRequest(order_id=order.id, payments=[message])))
        except WaybillError as error:
            self.expect_refused_payment(order, made, error)
        else:
            order.payments[id] = made

    def expect_refused_payment(self, order: Order, made: Payment, error: WaybillError) -> None:
        reasons = {error.reason, *(f.reason for f in error.fields), *(r.reason for r in error.rules)}
        fixed = sum((p.amount for p in (*order.payments.values(), made) if p.amount is not None), Decimal(0))
        rests = [p for p in (*order.payments.values(), made) if p.amount is None]
        why = {
            "PAYMENT_EXCEEDS_TOTAL": order.calculated and fixed > order.calculated_total,
            "PAYMENT_REST_REPEATED": len(rests) > 1,
            "BALANCE_EXCEEDED": made.kind in ("gift", "points"),
            "PAYMENT_AMOUNT_NOT_POSITIVE": made.amount is not None and made.amount <= 0,
        }
        assert any(why.get(reason, False) for reason in reasons), (reasons, str(error))

    @rule(index=INDEX, which=INDEX)
    def unpay(self, index: int, which: int) -> None:
        if (order := self.order(index, "UNSUBMITTED")) is None or not order.payments:
            return
        id = sorted(order.payments)[which % len(order.payments)]
        request = pb.RemovePaymentsRequest(order_id=order.id, payment_ids=[id])
        self.run(self.life.send(self.life.buyer(order).checkout.RemovePayments, request))
        del order.payments[id]

    @rule(index=INDEX, repeated=st.booleans())
    def submit(self, index: int, repeated: bool) -> None:
        if (order := self.order(index)) is None:
            return
        call = self.life.buyer(order).checkout.SubmitOrder
        request = pb.SubmitOrderRequest(order_id=order.id)
        if order.status != "UNSUBMITTED":
            assert self.run(self.life.refused(call, request)) == "ORDER_STATUS_CONFLICT"
            return
        expected = self.model.refusals(order)
        request.request_id = self.life.request_id()
        answers = self.run(_both(call, request, 3 if repeated else 1))
        order.attempts += 1
        reasons = {a.reason if isinstance(a, WaybillError) else "" for a in answers}
        assert len(reasons) == 1, reasons
        (reason,) = reasons
        self.life.calls.append(Call(call, request, reason))
        if not reason:
            assert not expected
            self.model.accept(order, self.run(self.life.parts(order)))
            return
        assert reason == "SUBMIT_REFUSED"
        named = {r.reason for r in answers[0].rules}
        # Stock that an estimate was made on may have gone to another order, while other stock is there.
        assert expected <= named or named == {"SHIP_ESTIMATE_STALE"}, (expected, named)
        assert expected or "SHIP_ESTIMATE_STALE" in named, named

    @rule(
        index=INDEX,
        kind=st.sampled_from(["gift", "points", "card", "promise", "transfer"]),
        share=st.sampled_from([None, 2]),
        rest=st.sampled_from(["promise", "card"]),
    )
    def place(self, index: int, kind: str, share: int | None, rest: str = "promise") -> None:
        """The usual way: estimate, calculate, pay the rest, submit."""
        if (order := self.order(index, "UNSUBMITTED")) is None:
            return
        at = list(self.model.orders.values()).index(order)
        assert self.order(at) is order
        waiting = [o for o in self.model.orders.values() if o.status == "UNSUBMITTED"].index(order)
        self.check_out(waiting)
        if share is not None:
            self.pay(waiting, kind, share)
            self.authorize_all(order)
        self.pay(waiting, rest, None)
        self.submit(at, False)

    def authorize_all(self, order: Order) -> None:
        """What its transfers want is authorized outside."""
        for id, p in order.payments.items():
            if p.kind == "transfer" and p.amount is not None and p.amount > p.authorized:
                self.run(self.life.send(*self.recording(id, "AUTHORIZE", p.amount - p.authorized)))
                p.authorized = p.amount

    @rule(index=INDEX)
    def forward(self, index: int) -> None:
        if (order := self.order(index, "OPEN", "CANCELED", "COMPLETED")) is None or not order.parts:
            return
        call = self.shop.market.people.sam.orders.ForwardOrder
        request = order_service_pb2.ForwardOrderRequest(order_id=order.id)
        if not order.forwarded and order.status != "OPEN":
            assert self.run(self.life.refused(call, request)) == "ORDER_STATUS_CONFLICT"
        elif not order.forwarded and any(part.packed for part in order.parts.values()):
            assert self.run(self.life.refused(call, request)) == "ORDER_ALREADY_SHIPPED"
        else:
            self.run(self.life.send(call, request))
            if not order.forwarded:
                self.model.split(order, self.run(self.life.parts(order)))
                order.forwarded = True

    @rule(index=INDEX)
    def accept_part(self, index: int) -> None:
        if (found := self.part(index)) is None:
            return
        _, id, part = found
        call = self.clerk(part).supplier_orders.AcceptSupplierOrder
        request = so_service.AcceptSupplierOrderRequest(supplier_order_id=id)
        if part.status in LIVE:
            self.run(self.life.send(call, request))
            part.status = "ACCEPTED"
        else:
            assert self.run(self.life.refused(call, request)) == "SUPPLIER_ORDER_STATUS_CONFLICT"

    @rule(index=INDEX)
    def reject_part(self, index: int) -> None:
        if (found := self.part(index)) is None:
            return
        order, id, part = found
        call = self.clerk(part).supplier_orders.RejectSupplierOrder
        request = so_service.RejectSupplierOrderRequest(supplier_order_id=id, comment="no")
        if part.status not in LIVE or part.implicit or not any(line.unpacked for line in part.lines.values()):
            assert self.run(self.life.refused(call, request)) == "SUPPLIER_ORDER_STATUS_CONFLICT"
            return
        if part.packed:
            return  # The model knows supplier orders that move whole.
        self.run(self.life.send(call, request))
        self.model.split(order, self.run(self.life.parts(order)))
        assert not order.parts[id].lines

    @rule(index=INDEX, which=INDEX, quantity=st.integers(0, 7), leaves=st.booleans())
    def ship(self, index: int, which: int, quantity: int, leaves: bool) -> None:
        """Units of a line; 0 stands for all that are open."""
        if (found := self.part(index, *LIVE) if index % 4 else self.part(index)) is None:
            return
        order, id, part = found
        line_id = sorted(part.lines)[which % len(part.lines)]
        self.pack(order, id, part, line_id, quantity or part.lines[line_id].unpacked or 1, leaves)

    def pack(self, order: Order, id: str, part: Part, line_id: str, quantity: int, leaves: bool) -> None:
        """Units of one line on a shipment."""
        call = self.clerk(part).shipments.CreateShipment
        shipment = shipment_pb2.Shipment(id=self.fresh("S"))
        shipment.items.add(supplier_order_id=id, line_item_id=line_id, quantity=quantity)
        if leaves:
            shipment.ship_time.GetCurrentTime()
        request = shipment_service_pb2.CreateShipmentRequest(shipment=shipment)
        if part.status not in (*LIVE, "COMPLETED") or quantity > part.lines[line_id].unpacked:
            assert self.run(self.life.refused(call, request)) in ("SUPPLIER_ORDER_STATUS_CONFLICT", "SHIPMENT_EXCEEDS_OPEN")
            return
        self.run(self.life.send(call, request))
        parcel = Parcel(id, line_id, quantity, self.model.pack(order, part, line_id, quantity))
        order.parcels[shipment.id] = parcel
        if leaves:
            self.model.leave(order, parcel)

    @rule(index=INDEX)
    def ship_the_rest(self, index: int) -> None:
        """Every open unit of an order."""
        if (order := self.order(index, "OPEN")) is not None:
            self.ship_all_of(order)

    def ship_all_of(self, order: Order) -> None:
        """What is on no shipment yet leaves."""
        for id, part in order.live_parts().items():
            for line_id, line in part.lines.items():
                if line.unpacked:
                    self.pack(order, id, part, line_id, line.unpacked, leaves=True)

    @rule(index=INDEX)
    def send_parcel(self, index: int) -> None:
        waiting = [(o, id, p) for o in self.model.orders.values() for id, p in o.parcels.items() if not p.left]
        if not waiting:
            return
        order, id, parcel = waiting[index % len(waiting)]
        part = order.parts[parcel.part]
        shipment = shipment_pb2.Shipment(id=id)
        shipment.ship_time.GetCurrentTime()
        request = shipment_service_pb2.UpdateShipmentRequest(shipment=shipment)
        call = self.clerk(part).shipments.UpdateShipment
        if parcel.void:
            assert self.run(self.life.refused(call, request)) == "SHIPMENT_VOID"
            return
        self.run(self.life.send(call, request))
        self.model.leave(order, parcel)

    @rule(index=INDEX, which=INDEX)
    def ship_one_and_cancel(self, index: int, which: int) -> None:
        """A unit leaves, and then nobody wants the rest."""
        if (found := self.part(index, *LIVE)) is None:
            return
        order, id, part = found
        line_id, line = sorted(part.lines.items())[which % len(part.lines)]
        if line.unpacked:
            self.pack(order, id, part, line_id, 1, leaves=True)
        self.cancel_order(order)

    @rule(index=INDEX)
    def cancel(self, index: int) -> None:
        if (order := (self.order(index, "OPEN") if index % 4 else None) or self.order(index)) is not None:
            self.cancel_order(order)

    def cancel_order(self, order: Order) -> None:
        """By whoever may."""
        people = self.shop.market.people
        client = people.sam if order.parts else self.life.buyer(order)
        request = order_service_pb2.CancelOrderRequest(order_id=order.id)
        if order.status in ("CANCELED", "COMPLETED"):
            assert self.run(self.life.refused(client.orders.CancelOrder, request)) == "ORDER_STATUS_CONFLICT"
        else:
            answer = self.run(self.life.send(client.orders.CancelOrder, request)).order
            if order.shipped:
                self.cancel_rest(order, answer)
            else:
                self.model.cancel(order)

    def cancel_rest(self, order: Order, answer: order_pb2.Order) -> None:
        """Of what has shipped in part the rest is canceled, by an attempt of the order."""
        worth, rounding = order.worth_of_the_rest()
        canceled = decimal(answer.canceled.total)
        freight = decimal(answer.canceled.shipping_cost)
        assert freight % PARCEL == 0, freight
        assert freight < PARCEL * order.parcels_estimated, "a parcel has left"
        assert abs(canceled - freight - worth) <= rounding, (canceled, freight, worth)
        order.attempts += 1
        self.model.cancel_rest(order, canceled)
        self.shop.seen["rests canceled"] += 1

    @rule(index=INDEX)
    def replay(self, index: int) -> None:
        """Any earlier call with its request id: the recorded outcome, and no second effect."""
        call = self.life.calls[index % len(self.life.calls)]
        (answer,) = self.run(_both(call.method, call.request, 1))
        assert (answer.reason if isinstance(answer, WaybillError) else "") == call.refusal, answer


async def _both(call: Any, request: Any, times: int) -> list[Any]:
    """The same call so often at once; refusals are answers."""
    answers = await asyncio.gather(*(call(request) for _ in range(times)), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, WaybillError):
            raise answer
    return answers


@pytest.mark.timeout(3_600)
def test_orders_live_as_the_model_says(database_url: str) -> None:
    number = fresh_seed("order life")
    with shop(database_url) as made:
        made.run(prepare(made))

        @seed(number)
        class Seeded(OrderLife):
            def __init__(self) -> None:
                super().__init__(made)

        run_state_machine_as_test(
            Seeded,
            settings=settings(
                max_examples=rounds("WAYBILL_CHAOS_LIVES", 15),
                stateful_step_count=rounds("WAYBILL_CHAOS_STEPS", 20),
                # A shorter example takes minutes to find: ask for it when a seed has failed.
                phases=[Phase.generate, *([Phase.shrink] if rounds("WAYBILL_CHAOS_SHRINK", 0) else [])],
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
        report(f"order life: {dict(sorted(made.seen.items()))}")
        assert made.seen["SubmitOrder"], made.seen
