"""PaymentService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.idempotency.key import RequestKey, key_of
from libs.protoconv import money_in, text_in, time_in
from libs.rpc import current
from services.payment.application.money.move_money import MoveMoney
from services.payment.application.money.record_transaction import RecordTransaction, Said
from services.payment.contract.payments import payment_out
from services.payment.domain.means import cards
from services.payment.domain.money.recording import RECORDABLE
from services.payment.domain.payments.transaction import TransactionType
from waybill.payment.v1 import payment_pb2, reasons
from waybill.payment.v1 import payment_service_pb2 as pb
from waybill.payment.v1 import payment_service_pb2_grpc as pb_grpc


def _key(request: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, request)


def amount_in(
    found: Violations, request: pb.CapturePaymentRequest | pb.RefundPaymentRequest | pb.RecordTransactionRequest
) -> int | None:
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

    def __init__(self, move: MoveMoney, record: RecordTransaction) -> None:
        self._move = move
        self._record = record

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

    async def RecordTransaction(self, request: pb.RecordTransactionRequest, context: Any) -> pb.RecordTransactionResponse:
        made, rows = await self._record(_said(request), _key(request))
        return pb.RecordTransactionResponse(payment=payment_out(made, rows))


_RECORDABLE = {payment_pb2.PaymentTransactionType.Value(f"PAYMENT_TRANSACTION_TYPE_{type}"): type for type in RECORDABLE}


def _said(request: pb.RecordTransactionRequest) -> Said:
    """What has happened outside, as it is said."""
    found = Violations()
    amount = amount_in(found, request)
    known = ", ".join(_RECORDABLE.values())
    found.require("type", request.type in _RECORDABLE, reasons.FIELD_INVALID, f"must be one of {known}")
    found.require("amount", amount is not None, reasons.FIELD_REQUIRED, "is required")
    reference = text_in(found, "reference", request.reference, 100)
    text = "looks like a card number, which is never stored"
    found.require("reference", not cards.looks_like_number(reference), reasons.CARD_NUMBER_REFUSED, text)
    occur = time_in(found, "occur_time", request.occur_time) if request.HasField("occur_time") else None
    found.raise_if_any()
    type = TransactionType(_RECORDABLE[request.type])
    by = current().principal.user_id
    return Said(request.payment_id, type, amount or 0, request.amount.currency_code, by, reference, occur)
