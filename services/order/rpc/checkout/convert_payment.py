"""Payments that come with a PlaceOrder: judged as the payment service will, before anything is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from libs.errors import Violations
from libs.protoconv import money_in, text_in, xp_in
from services.order.application.records import PaymentDocument
from waybill.order.v1 import reasons
from waybill.payment.v1 import payment_pb2

_MEANS = {"spending_account_id": "spending_account", "credit_card_id": "credit_card"}


def payments_in(found: Violations, messages: Sequence[payment_pb2.Payment]) -> list[tuple[str, str]]:
    """Notes what payments break by themselves; returns (field path, currency code) of every amount given.

    Whose accounts and cards they are, and whether they add up, is for the payment service to say in the submit.
    """
    seen: set[str] = set()
    rests = 0
    currencies: list[tuple[str, str]] = []
    for i, m in enumerate(messages):
        where = f"payments[{i}]"
        if m.id in seen:
            found.add(f"{where}.id", reasons.DUPLICATE_ITEM, f"id {m.id!r} stands twice")
        seen.update({m.id} - {""})
        if m.HasField("amount"):
            currencies.append((f"{where}.amount", m.amount.currency_code))
        else:
            rests += 1
            found.require(f"{where}.amount", rests == 1, reasons.PAYMENT_REST_REPEATED, "only one payment may have no amount")
        _check(found, where, m)
    return currencies


def documents_in(messages: Iterable[payment_pb2.Payment]) -> list[PaymentDocument]:
    """Payments as the use cases hand them on."""
    return [PaymentDocument(message.SerializeToString()) for message in messages]


def payments_out(documents: Iterable[PaymentDocument]) -> list[payment_pb2.Payment]:
    """The same as messages again."""
    return [payment_pb2.Payment.FromString(document) for document in documents]


def _check(found: Violations, where: str, m: payment_pb2.Payment) -> None:
    found.check_id(f"{where}.id", m.id, required=False)
    found.check_id(f"{where}.type", m.type)
    if m.HasField("amount"):
        amount = money_in(found, f"{where}.amount", m.amount, negative=True)
        found.require(f"{where}.amount", amount > 0, reasons.PAYMENT_AMOUNT_NOT_POSITIVE, "must be above zero")
    for name, type in _MEANS.items():
        value = getattr(m, name)
        found.check_id(f"{where}.{name}", value, required=m.type == type)
        if value and m.type != type:
            found.add(f"{where}.{name}", reasons.FIELD_INVALID, f"is for payments of type {type}")
    text_in(found, f"{where}.purchase_order_number", m.purchase_order_number, 100)
    text_in(found, f"{where}.description", m.description, 2_000)
    xp_in(found, f"{where}.xp", m.xp)
