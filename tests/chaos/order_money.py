"""The life of an order's money: payments that are changed, points, what is recorded of the outside, fees, captures."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.type.decimal_pb2 import Decimal as DecimalMessage
from google.type.money_pb2 import Money
from hypothesis import strategies as st
from hypothesis.stateful import rule

from services.host.sample.marketplace import CURRENCY, SHOP
from tests.chaos.shop import ALL, COUNTER, Life, Shop
from tests.support import payment_model
from tests.support.order_model import CENT, FEE_TAX, PARCEL, Order, cents
from tests.support.payment_model import POINT, POINTS, Payment
from waybill.directory.v1 import api_client_service_pb2 as client_pb
from waybill.directory.v1 import ordering_context_service_pb2 as policy_pb
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so_service
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import fee_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2, payment_service_pb2
from waybill.payment.v1 import payment_type_service_pb2 as type_pb
from waybill.payment.v1 import spending_account_service_pb2 as account_pb
from waybill.pricing.v1 import tax_rate_service_pb2 as tax_pb
from waybill_client import WaybillError, money
from waybill_client.money import decimal

INDEX = st.integers(0, 1_000)
TAKES = ("credit_card", "spending_account", "purchase_order", "transfer")
ANSWER_WITHIN = Duration(seconds=3_600)


async def prepare(shop: Shop) -> None:
    """Both channels take transfers, give suppliers a time to answer, and the one that forwards captures on shipment; fees have
    a tax of their own.
    """
    owner = shop.market.people.owner
    transfer = type_pb.PaymentType(id="transfer", name="Transfer", acceptance=type_pb.PAYMENT_ACCEPTANCE_BY_RECORD, active=True)
    await owner.payment_types.CreatePaymentType(type_pb.CreatePaymentTypeRequest(payment_type=transfer))
    levy = tax_pb.TaxRate(id="levy", country="US", tax_class="levy", rate=DecimalMessage(value=str(FEE_TAX)))
    await owner.tax_rates.BatchCreateTaxRates(tax_pb.BatchCreateTaxRatesRequest(tax_rates=[levy]))
    for id, forward, capture in (
        (SHOP, policy_pb.AUTO_FORWARD_ALL, policy_pb.PAYMENT_CAPTURE_ON_SHIPMENT),
        (COUNTER, policy_pb.AUTO_FORWARD_NONE, policy_pb.PAYMENT_CAPTURE_MANUAL),
    ):
        made = policy_pb.OrderingPolicy(
            auto_forward=forward,
            capture=capture,
            require_ship_methods=True,
            payment_coverage=policy_pb.PAYMENT_COVERAGE_TOTAL,
            sourcing_strategy="default_supplier",
            payment_types=TAKES,
            accept_within=ANSWER_WITHIN,
        )
        change = client_pb.UpdateApiClientRequest(
            api_client=client_pb.ApiClient(id=id, policy=made), update_mask={"paths": ["policy"]}
        )
        await owner.api_clients.UpdateApiClient(change)


def points_of(life: Life) -> str:
    """Id of the life's account of points."""
    return f"points-{life.tag}"


async def open_points(life: Life) -> None:
    """An account of points of Ada's."""
    owner, id = life.market.people.owner, points_of(life)
    made = account_pb.SpendingAccount(id=id, name="Points", buyer_id="acme", active=True, currency="PTS", order_currency=CURRENCY)
    made.rate.value = str(POINT)
    made.opening_balance.CopyFrom(Money(currency_code="PTS", units=POINTS))
    await owner.spending_accounts.CreateSpendingAccount(account_pb.CreateSpendingAccountRequest(spending_account=made))
    hers = account_pb.SpendingAccountAssignment(spending_account_id=id, user_id="ada")
    await owner.spending_accounts.AssignSpendingAccounts(account_pb.AssignSpendingAccountsRequest(assignments=[hers]))


class MoneyRules:
    """Rules of the machine about money."""

    shop: Shop
    life: Life
    run: Any
    order: Any
    fresh: Any
    expect_refused_payment: Any

    @rule(index=INDEX, which=INDEX, share=st.sampled_from([None, 1, 2, 3]))
    def change_payment(self, index: int, which: int, share: int | None) -> None:
        """It pays another share of the total, or the rest."""
        if (order := self.order(index, "UNSUBMITTED")) is None or not order.payments:
            return
        id = sorted(order.payments)[which % len(order.payments)]
        old = order.payments[id]
        amount = None if share is None else (order.calculated_total / share).quantize(CENT)
        message = payment_pb2.Payment(id=id)
        if amount is not None:
            message.amount.CopyFrom(money(amount, CURRENCY))
        request = pb.UpdatePaymentRequest(order_id=order.id, payment=message, update_mask={"paths": ["amount"]})
        try:
            self.run(self.life.send(self.life.buyer(order).checkout.UpdatePayment, request))
        except WaybillError as error:
            kept, order.payments = order.payments, {other: p for other, p in order.payments.items() if other != id}
            self.expect_refused_payment(order, Payment(old.kind, amount), error)
            order.payments = kept
        else:
            old.amount = amount

    @rule(index=INDEX, amount=st.sampled_from(["0", "0.99", "5.00"]))
    def charge_fee(self, index: int, amount: str) -> None:
        if (order := self.order(index, "UNSUBMITTED")) is None:
            return
        fee = fee_pb2.Fee(id="rush", name="Rush", amount=money(amount, CURRENCY), tax_class="levy")
        change = order_pb2.Order(id=order.id, fees=[fee])
        request = order_service_pb2.UpdateOrderRequest(order=change, update_mask={"paths": ["fees"]})
        self.run(self.life.send(self.shop.market.people.owner.orders.UpdateOrder, request))
        order.fee = Decimal(amount)
        order.calculated = False

    def transfers(self, index: int, *statuses: str) -> tuple[Order, str, Payment] | None:
        """One of the payments outside."""
        found = [
            (order, id, p)
            for order in self.life.model.orders.values()
            if order.status in statuses
            for id, p in order.payments.items()
            if p.kind == "transfer"
        ]
        return found[index % len(found)] if found else None

    def recording(self, id: str, type: str, amount: Decimal) -> Any:
        """The call that records a transaction, and its request."""
        request = payment_service_pb2.RecordTransactionRequest(payment_id=id, type=f"PAYMENT_TRANSACTION_TYPE_{type}")  # type: ignore[arg-type]
        request.amount.CopyFrom(money(amount, CURRENCY))
        return self.shop.market.people.owner.payments.RecordTransaction, request

    @rule(index=INDEX)
    def authorize_outside(self, index: int) -> None:
        """As much as a transfer may want."""
        if (found := self.transfers(index, "UNSUBMITTED")) is None:
            return
        order, id, p = found
        wanted = order.calculated_total if p.amount is None else p.amount - p.authorized
        if wanted > 0:
            self.run(self.life.send(*self.recording(id, "AUTHORIZE", wanted)))
            p.authorized += wanted
        assert self.run(self.life.refused(*self.recording(id, "CAPTURE", CENT))) == "PAYMENT_STATE_CONFLICT"

    @rule(index=INDEX, share=st.sampled_from([1, 2]))
    def record_outside(self, index: int, share: int) -> None:
        """What is to go back has gone back; where nothing is, some of what is due was taken."""
        if (found := self.transfers(index, "OPEN", "COMPLETED", "CANCELED")) is None:
            return
        _, id, p = found
        if p.state not in ("CONFIRMED", "CAPTURED"):
            return
        if p.to_refund:
            self.run(self.life.send(*self.recording(id, "REFUND", p.to_refund)))
            p.refunded += p.to_refund
        elif p.due > p.captured:
            taken = cents((p.due - p.captured) / share)
            self.run(self.life.send(*self.recording(id, "CAPTURE", taken)))
            p.captured += taken
        p.settle()

    async def take_what_has_shipped(self) -> None:
        """Cards of the channel that captures on shipment take what fulfillment says has shipped, and the fee with the first
        of it. What that is worth is held against the lines, and once nothing is open to the cent against the total.
        """
        for order in self.life.model.orders.values():
            if not order.parts or not order.shipped:
                continue
            listed = await self.life.market.people.sam.supplier_orders.ListSupplierOrders(
                so_service.ListSupplierOrdersRequest(filter=f'order_id = "{order.id}"', order_by="id")
            )
            goods = sum((decimal(s.shipped_total) for s in listed.supplier_orders), Decimal(0))
            shipped = goods + order.fee_with_tax
            rest, rounding = order.worth_of_the_rest()
            freight = goods - (order.calculated_total - order.fee_with_tax - PARCEL * order.parcels_estimated - rest)
            parcels = round(freight / PARCEL)
            assert -rounding < freight <= PARCEL * order.parcels_estimated + rounding, (order.id, freight)
            if order.forwards:
                assert parcels > 0, (order.id, freight)
                assert abs(freight - PARCEL * parcels) <= rounding, (order.id, freight)
            if order.status == "COMPLETED":
                assert shipped == order.calculated_total - order.canceled, (order.id, shipped)
            if order.forwards:
                payment_model.capture(order.payments, shipped)
                self.shop.seen["orders charged as they ship"] += any(
                    p.captured for p in order.payments.values() if p.kind == "card"
                )

    async def money_agrees(self) -> None:
        """Fails unless payments are as the model says; waits for captures that are on their way."""
        end = time.monotonic() + 10
        while True:
            try:
                await self._compare_money()
            except AssertionError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.05)
            else:
                return

    async def _compare_money(self) -> None:
        owner, model = self.life.market.people.owner, self.life.model
        asked = account_pb.GetSpendingAccountRequest(spending_account_id=points_of(self.life))
        account = (await owner.spending_accounts.GetSpendingAccount(asked)).spending_account
        assert (decimal(account.balance), decimal(account.reserved)) == (model.points(), 0)
        for order in model.orders.values():
            seen = await owner.orders.GetOrder(order_service_pb2.GetOrderRequest(order_id=order.id, direction=ALL))
            assert sum((decimal(f.amount) for f in seen.order.fees), Decimal(0)) == order.fee
            if not order.parts:
                continue
            listed = await self.life.buyer(order).checkout.ListPayments(pb.ListPaymentsRequest(order_id=order.id))
            assert {
                p.id: (decimal(p.due_amount), decimal(p.captured_amount), decimal(p.to_refund_amount))
                for p in listed.payments
                if p.type in ("credit_card", "transfer")
            } == {
                id: (p.due, p.captured, p.to_refund)
                for id, p in order.payments.items()
                if p.kind in ("card", "declined", "transfer")
            }
