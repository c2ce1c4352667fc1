"""The way of an order through checkout: estimated, calculated, paid in several ways, and submitted."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from services.host.sample.marketplace import CURRENCY
from tests.chaos.order_money import points_of
from tests.chaos.shop import Call, Life, Shop
from tests.support.order_model import PARCEL, Order
from tests.support.payment_model import Payment
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.payment.v1 import payment_pb2
from waybill_client import WaybillError, money
from waybill_client.money import decimal

INDEX = st.integers(0, 1_000)
TYPES = {
    "gift": "spending_account",
    "points": "spending_account",
    "card": "credit_card",
    "declined": "credit_card",
    "promise": "purchase_order",
    "transfer": "transfer",
}


class CheckoutRules:
    """Rules of the machine about checking out."""

    shop: Shop
    life: Life
    model: Any
    run: Any
    order: Any
    fresh: Any
    recording: Any

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
        answers = self.run(both(call, request, 3 if repeated else 1))
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


async def both(call: Any, request: Any, times: int) -> list[Any]:
    """The same call so often at once; refusals are answers."""
    answers = await asyncio.gather(*(call(request) for _ in range(times)), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, WaybillError):
            raise answer
    return answers
