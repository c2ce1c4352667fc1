"""What a channel takes for its orders, from the policy to the refusal."""

from __future__ import annotations

import grpc

from tests.e2e.steps import policy, promise, ready, refused, violations
from tests.support.marketplace import Marketplace
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2
from waybill.order.v1 import order_service_pb2 as order_pb
from waybill.payment.v1.payment_pb2 import (
    PAYMENT_STATE_REFUNDED,
    PAYMENT_TRANSACTION_TYPE_AUTHORIZE,
    PAYMENT_TRANSACTION_TYPE_CAPTURE,
    PAYMENT_TRANSACTION_TYPE_REFUND,
    Payment,
)
from waybill.payment.v1.payment_service_pb2 import RecordTransactionRequest
from waybill.payment.v1.payment_type_service_pb2 import PAYMENT_ACCEPTANCE_BY_RECORD, CreatePaymentTypeRequest, PaymentType


def adding(id: str, *payments: Payment) -> pb.AddPaymentsRequest:
    return pb.AddPaymentsRequest(order_id=id, payments=payments)


def placing(id: str, *payments: Payment) -> pb.PlaceOrderRequest:
    request = pb.PlaceOrderRequest(payments=payments)
    request.order.id = id
    request.line_items.add(product_id="anvil", quantity=1)
    return request


async def test_nobody_pays_with_a_type_that_does_not_exist(shared_market: Marketplace) -> None:
    ada = shared_market.people.ada
    await ready(ada, "FREE", [], anvil=1)
    error = await refused(ada.checkout.AddPayments(adding("FREE", Payment(type="free"))))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert violations(error) == {("payments[0].type", "PAYMENT_TYPE_NOT_ALLOWED")}
    placed = await refused(ada.checkout.PlaceOrder(placing("F2", Payment(type="free"))))
    assert {rule.reason for rule in placed.rules} == {"PAYMENT_TYPE_NOT_ALLOWED"}
    unpaid = await refused(ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="FREE")))
    assert [rule.reason for rule in unpaid.rules] == ["PAYMENTS_BELOW_TOTAL"]


async def test_a_purchase_order_pays_only_where_the_channel_names_it(market: Marketplace) -> None:
    ada = market.people.ada
    await ready(ada, "EARLY", promise(), anvil=1)
    await policy(market, payment_types=[])
    early = await refused(ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="EARLY")))
    assert [rule.reason for rule in early.rules] == ["PAYMENT_TYPE_NOT_ALLOWED"]
    await ready(ada, "LATE", [], anvil=1)
    late = await refused(ada.checkout.AddPayments(adding("LATE", *promise())))
    assert violations(late) == {("payments[0].type", "PAYMENT_TYPE_NOT_ALLOWED")}
    named = await refused(ada.checkout.PlaceOrder(placing("NAMED", *promise())))
    assert [rule.reason for rule in named.rules] == ["PAYMENT_TYPE_NOT_ALLOWED"]
    # Nothing is promised in the name of a buyer whose channel takes no promises.
    silent = await refused(ada.checkout.PlaceOrder(placing("SILENT")))
    assert [rule.reason for rule in silent.rules] == ["PAYMENTS_BELOW_TOTAL"]
    await policy(market, payment_types=["purchase_order"])
    done = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="EARLY"))
    assert done.order.status == order_pb2.ORDER_STATUS_OPEN
    assert (await ada.checkout.PlaceOrder(placing("AGAIN"))).order.status == order_pb2.ORDER_STATUS_OPEN


async def test_what_is_authorized_outside_opens_the_order_and_what_is_canceled_goes_back_there(market: Marketplace) -> None:
    ada, owner = market.people.ada, market.people.owner
    transfer = PaymentType(id="transfer", name="Transfer", acceptance=PAYMENT_ACCEPTANCE_BY_RECORD, active=True)
    await owner.payment_types.CreatePaymentType(CreatePaymentTypeRequest(payment_type=transfer))
    await policy(market, payment_types=["transfer"])
    await ready(ada, "OUTSIDE", [Payment(id="wire", type="transfer")], anvil=1)
    submit = pb.SubmitOrderRequest(order_id="OUTSIDE")
    checked = await ada.checkout.ValidateOrder(pb.ValidateOrderRequest(order_id="OUTSIDE"))
    assert [p.reason for p in checked.reasons] == ["PAYMENT_NOT_ACCEPTED"]
    early = await refused(ada.checkout.SubmitOrder(submit))
    assert [rule.reason for rule in early.rules] == ["PAYMENT_NOT_ACCEPTED"]
    get = order_pb.GetOrderRequest(order_id="OUTSIDE", direction=order_pb2.DIRECTION_OUTGOING)
    total = (await ada.orders.GetOrder(get)).order.total
    record = RecordTransactionRequest(payment_id="wire", type=PAYMENT_TRANSACTION_TYPE_AUTHORIZE, amount=total, reference="w-1")
    denied = await refused(ada.payments.RecordTransaction(record))
    assert denied.code is grpc.StatusCode.PERMISSION_DENIED
    await owner.payments.RecordTransaction(record)
    assert (await ada.checkout.SubmitOrder(submit)).order.status == order_pb2.ORDER_STATUS_OPEN
    record.type = PAYMENT_TRANSACTION_TYPE_CAPTURE
    await owner.payments.RecordTransaction(record)
    await owner.orders.CancelOrder(order_pb.CancelOrderRequest(order_id="OUTSIDE"))
    (paid,) = (await ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id="OUTSIDE"))).payments
    assert paid.to_refund_amount == total
    record.type = PAYMENT_TRANSACTION_TYPE_REFUND
    done = await owner.payments.RecordTransaction(record)
    assert done.payment.state == PAYMENT_STATE_REFUNDED
