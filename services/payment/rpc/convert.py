"""Between payment's messages and values."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from libs.errors import Violations, invalid
from libs.protoconv import currency_in, mask_paths, money_in, text_in, xp_in
from services.payment.application.payments.order_payments import Draft, OrderRef
from services.payment.domain.payments.editing import FIELDS, MEANS, Edit
from services.payment.domain.payments.payment import MAX_PAYMENTS, Problem
from services.payment.domain.payments.types import CREDIT_CARD, SPENDING_ACCOUNT
from waybill.payment.v1 import order_payment_service_pb2 as order_pb
from waybill.payment.v1 import payment_pb2 as pb
from waybill.payment.v1 import payment_reservation_service_pb2 as attempt_pb
from waybill.payment.v1 import reasons
from waybill.type.v1 import problem_pb2


def attempt_in(found: Violations, message: Any) -> int:
    """The number of an attempt."""
    found.require("attempt", message.attempt >= 1, reasons.VALUE_OUT_OF_RANGE, "must be 1 or more")
    return int(message.attempt)


def version_in(found: Violations, message: order_pb.CreatePaymentsRequest | order_pb.DeletePaymentsRequest) -> int:
    """The version of an order."""
    found.require("order_version", message.order_version >= 1, reasons.VALUE_OUT_OF_RANGE, "must be 1 or more")
    return int(message.order_version)


def key_in(text: str) -> uuid.UUID:
    """An order's internal key."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise invalid("order_key", reasons.FIELD_INVALID, "is no internal key") from None


def due_in(found: Violations, message: order_pb.LowerPaymentsRequest) -> int:
    """What an order still owes, in micros; 0 when nothing."""
    return money_in(found, "due", message.due)


def shipped_in(found: Violations, message: order_pb.CaptureShippedRequest) -> int:
    """What has shipped of an order, in micros; 0 for nothing."""
    currency = currency_in(found, "shipped.currency_code", message.shipped.currency_code)
    return money_in(found, "shipped", message.shipped, currency) if currency else 0


def order_in(
    found: Violations,
    message: order_pb.CreatePaymentsRequest
    | order_pb.UpdatePaymentRequest
    | order_pb.StartPaymentRequest
    | attempt_pb.ReservePaymentsRequest,
) -> OrderRef:
    """What the order service passes. Payments are added and changed before there is a total, and begun and reserved by one."""
    calculated = True
    if isinstance(message, order_pb.CreatePaymentsRequest | order_pb.UpdatePaymentRequest) and not message.HasField("total"):
        calculated, currency = False, currency_in(found, "currency", message.currency)
    else:
        currency = currency_in(found, "total.currency_code", message.total.currency_code)
    total = money_in(found, "total", message.total, currency) if calculated and currency else 0
    found.check_id("order_id", message.order_id)
    found.check_id("buyer_id", message.buyer_id)
    found.check_id("user_id", message.user_id)
    key, types = key_in(message.order_key), frozenset(message.payment_types)
    whose, may_exceed = (message.order_id, message.buyer_id, message.user_id), message.may_exceed_total
    return OrderRef(key, *whose, total, currency, guest=message.guest, may_exceed=may_exceed, types=types, calculated=calculated)


def drafts_in(found: Violations, messages: Sequence[pb.Payment], currency: str, field: str = "payments") -> list[Draft]:
    """Payments as asked for; ids may be left out, but not given twice."""
    found.require(field, len(messages) <= MAX_PAYMENTS, reasons.TOO_MANY_PAYMENTS, f"at most {MAX_PAYMENTS} payments")
    seen: set[str] = set()
    for i, message in enumerate(messages[:MAX_PAYMENTS]):
        if message.id in seen:
            found.add(f"{field}[{i}].id", reasons.DUPLICATE_ITEM, f"id {message.id!r} stands twice")
        seen.update({message.id} - {""})
    return [_draft(found, f"{field}[{i}]", message, currency) for i, message in enumerate(messages[:MAX_PAYMENTS])]


def _draft(found: Violations, where: str, m: pb.Payment, currency: str) -> Draft:
    found.check_id(f"{where}.id", m.id, required=False)
    found.check_id(f"{where}.type", m.type)
    amount = None
    if m.HasField("amount"):
        amount = money_in(found, f"{where}.amount", m.amount, currency, negative=True)
        found.require(f"{where}.amount", amount > 0, reasons.PAYMENT_AMOUNT_NOT_POSITIVE, "must be above zero")
    for name, type in (("spending_account_id", SPENDING_ACCOUNT), ("credit_card_id", CREDIT_CARD)):
        value = getattr(m, name)
        found.check_id(f"{where}.{name}", value, required=m.type == type)
        if value and m.type != type:
            found.add(f"{where}.{name}", reasons.FIELD_INVALID, f"is for payments of type {type}")
    return Draft(
        id=m.id,
        type=m.type,
        amount=amount,
        spending_account_id=m.spending_account_id,
        credit_card_id=m.credit_card_id,
        purchase_order_number=text_in(found, f"{where}.purchase_order_number", m.purchase_order_number, 100),
        description=text_in(found, f"{where}.description", m.description, 2_000),
        xp=xp_in(found, f"{where}.xp", m.xp),
    )


def edit_in(found: Violations, request: order_pb.UpdatePaymentRequest, currency: str) -> Edit:
    """What is to be changed of a payment. Its own means, and what there is of them, the use case knows."""
    m, where = request.payment, "payment"
    paths = mask_paths(found, request.update_mask, m, FIELDS)
    found.check_id(f"{where}.id", m.id)
    found.require("update_mask", bool(paths) or bool(found), reasons.FIELD_REQUIRED, "names nothing to change")
    amount = None
    if m.HasField("amount") and "amount" in paths:
        amount = money_in(found, f"{where}.amount", m.amount, currency, negative=True)
        found.require(f"{where}.amount", amount > 0, reasons.PAYMENT_AMOUNT_NOT_POSITIVE, "must be above zero")
    for name in MEANS:
        found.check_id(f"{where}.{name}", getattr(m, name), required=False)
    return Edit(
        payment_id=m.id,
        fields=frozenset(paths),
        etag=m.etag,
        amount=amount,
        spending_account_id=m.spending_account_id,
        credit_card_id=m.credit_card_id,
        purchase_order_number=text_in(found, f"{where}.purchase_order_number", m.purchase_order_number, 100),
        description=text_in(found, f"{where}.description", m.description, 2_000),
        xp=xp_in(found, f"{where}.xp", m.xp),
    )


def problem_out(p: Problem) -> problem_pb2.Problem:
    """Why a payment does not hold."""
    subject = f"payments[{p.payment_id}]" if p.payment_id else "payments"
    return problem_pb2.Problem(
        reason=p.reason, context="payment", subject=subject, description=p.description, contended=p.contended
    )


def state_out(state: str) -> attempt_pb.PaymentReservationState.ValueType:
    """A state by its name; empty is none."""
    return attempt_pb.PaymentReservationState.Value(f"PAYMENT_RESERVATION_STATE_{state or 'UNSPECIFIED'}")
