"""PaymentService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.idempotency.key import RequestKey, key_of
from libs.protoconv import money_in
from libs.rpc import current
from services.payment.application.move_money import MoveMoney
from services.payment.contract.payments import payment_out
from waybill.payment.v1 import payment_service_pb2 as pb
from waybill.payment.v1 import payment_service_pb2_grpc as pb_grpc
from waybill.payment.v1 import reasons


def _key(request: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, request)


def amount_in(found: Violations, request: pb.CapturePaymentRequest | pb.RefundPaymentRequest) -> int | None:
    """How much of a payment is meant; None for all there is."""
    found.check_id("payment_id", request.payment_id)
    amount = None
    if request.HasField("amount"):
        amount = money_in(found, "amount", request.amount, negative=True)
        found.require("amount", amount > 0, reasons.PAYMENT_AMOUNT_NOT_POSITIVE, "must be above zero")
    return amount


def _amount(request: pb.CapturePaymentRequest | pb.RefundPaymentRequest) -> tuple[int | None, str]:
    found = Violations()
    amount = amount_in(found, request)
    found.raise_if_any()
    return amount, request.amount.currency_code


class PaymentServicer(pb_grpc.PaymentServiceServicer):
    """Moves the money of submitted payments, for people of the seller."""

    def __init__(self, move: MoveMoney) -> None:
        self._move = move

    async def CapturePayment(self, request: pb.CapturePaymentRequest, context: Any) -> pb.CapturePaymentResponse:
        made, rows = await self._move.capture(request.payment_id, *_amount(request), _key(request))
        return pb.CapturePaymentResponse(payment=payment_out(made, rows))

    async def RefundPayment(self, request: pb.RefundPaymentRequest, context: Any) -> pb.RefundPaymentResponse:
        made, rows = await self._move.refund(request.payment_id, *_amount(request), _key(request))
        return pb.RefundPaymentResponse(payment=payment_out(made, rows))

    async def VoidPayment(self, request: pb.VoidPaymentRequest, context: Any) -> pb.VoidPaymentResponse:
        found = Violations()
        found.check_id("payment_id", request.payment_id)
        found.raise_if_any()
        made, rows = await self._move.void(request.payment_id, _key(request))
        return pb.VoidPaymentResponse(payment=payment_out(made, rows))
