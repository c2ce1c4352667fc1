"""Rows that matter for the walk, and what their columns are changed to where the type does not say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from services.order.adapters.db import tables as order
from services.payment.adapters.db import tables as payment
from tests.e2e.corruptions.books import CUT, DONE, GONE, HELD, NO, OPEN, Books
from tests.e2e.corruptions.walk import Change, Place, Places
from waybill.fulfillment.v1.shipment_pb2 import Shipment
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder

_O = order.ORDERS.c


def of(column: sa.Column[Any], *values: Any) -> Any:
    """Rows of some values of a column."""
    return lambda _: column.in_(values)


def of_order(column: sa.Column[Any], *ids: str) -> Any:
    """Rows of orders, by their keys."""

    def where(books: Books) -> Any:
        keys = [books.keys[id] for id in ids]
        return column.in_(keys if isinstance(column.type, sa.Uuid) else [str(key) for key in keys])

    return where


def to(value: Any) -> Mapping[str, Change]:
    """This value."""
    return {"": lambda _: value}


def with_(**values: Any) -> Mapping[str, Change]:
    """The document with other values."""
    return {"": lambda stored: {**stored, **values}}


def document(kind: type[Any], **values: Any) -> Mapping[str, Change]:
    """The message with other values."""

    def change(stored: bytes) -> bytes:
        message = kind.FromString(stored)
        for name, value in values.items():
            setattr(message, name, value)
        return bytes(message.SerializeToString())

    return {"": change}


def at(*path: str | int, by: Any = 1) -> Change:
    """The document with one value in it raised, or replaced when it is no number."""

    def change(stored: Any) -> Any:
        if not path:
            return stored + by if isinstance(stored, int | float) and not isinstance(stored, bool) else by
        first, *rest = path
        copy: Any = dict(stored) if isinstance(stored, Mapping) else list(stored)
        copy[first] = at(*rest, by=by)(copy[first])
        return copy

    return change


_SUPPLIER_ORDER = of(_O.id, f"{OPEN}-1")
_CHANGED = of(order.SUBMISSIONS.c.kind, "CHANGE")
ORDER: Places = {
    "orders": Place(of(_O.id, OPEN)),
    **{f"orders.{name}": Place(_SUPPLIER_ORDER) for name in ("parent_key", "parent_id", "supplier_id", "supplier_status")},
    "approval_rules.name": Place(changes=to("")),
    "approval_rules.expression": Place(changes=to("")),
    "orders.kind": Place(_SUPPLIER_ORDER, to("MOVED")),
    "orders.source_version": Place(_SUPPLIER_ORDER),
    "orders.cost": Place(_SUPPLIER_ORDER, to(10_000_000)),
    "orders.document": Place(_SUPPLIER_ORDER, document(SupplierOrder, reject_comment="walked")),
    "orders.policy": Place(of(_O.id, OPEN), with_(must_cover_total=False)),
    "orders.user": Place(of(_O.id, OPEN), {"": at("id", by="other")}),
    **{f"orders.{name}": Place(of(_O.id, OPEN)) for name in ("sub_status", "sub_status_time")},
    "order_sub_statuses.status": Place(None, to("COMPLETED")),
    "orders.status": Place(of(_O.id, DONE), to("OPEN")),
    "orders.submission": Place(of(_O.id, NO), {"state": at("state", by="ACCEPTED"), "attempt": at("attempt")}),
    "orders.fees": Place(of(_O.id, OPEN), to([["rush", "Rush", 0, "fees", 0, "0", "SELLER"]])),
    "orders.held": Place(of(_O.id, HELD)),
    "orders.holds": Place(of(_O.id, HELD), {"payment": at(0, "payment_id", by="other")}),
    "line_items": Place(of_order(order.LINE_ITEMS.c.order_key, DONE)),
    "line_items.product": Place(
        of_order(order.LINE_ITEMS.c.order_key, DONE), {"name": at("name", by="other"), "shippable": at("shippable", by=False)}
    ),
    "line_items.discount_override": Place(of_order(order.LINE_ITEMS.c.order_key, DONE), to(1_000_000)),
    "line_items.discounts": Place(of_order(order.LINE_ITEMS.c.order_key, DONE), to([["override", 10_000]])),
    "line_items.choices": Place(
        of_order(order.LINE_ITEMS.c.order_key, DONE), to([["size", "Size", "s", "Small", "", ["AMOUNT_TOTAL", {"USD": 1}, "0"]]])
    ),
    "line_items.price_steps": Place(of_order(order.LINE_ITEMS.c.order_key, DONE), to([["override", 10_000, 0]])),
    "line_items.tax_rate": Place(of_order(order.LINE_ITEMS.c.order_key, DONE), to("0.01")),
    "worksheets": Place(of_order(order.WORKSHEETS.c.order_key, DONE)),
    "worksheets.body": Place(
        of_order(order.WORKSHEETS.c.order_key, DONE),
        {
            "planned units": at("plan", 0, 2),
            "planned product": at("plan", 0, 1, by="other"),
            "estimated units": at("estimates", 0, 3, 0, 1),
            "selected method": at("estimates", 0, 7, by="other"),
            "unit price": at("lines", 0, 1),
            "subtotal": at("lines", 0, 2),
            "discount": at("lines", 0, 4),
            "tax": at("lines", 0, 5),
            "tax rate": at("lines", 0, 6, by="0.01"),
            "schedule": at("lines", 0, 7, by="other"),
            "overridden": at("lines", 0, 8, by=True),
            "tax included": at("lines", 0, 12, by=True),
            "included tax": at("lines", 0, 13),
            "shipping": at("shipments", 0, 1),
            "shipping tax": at("shipments", 0, 2),
            "discount on shipping": at("shipments", 0, 4, by=[["override", 10_000]]),
            "tax included in shipping": at("shipments", 0, 6),
        },
    ),
    "submissions": Place(of_order(order.SUBMISSIONS.c.order_key, NO)),
    "submissions.state": Place(of_order(order.SUBMISSIONS.c.order_key, OPEN), to("REFUSED")),
    **{f"submissions.{name}": Place(of_order(order.SUBMISSIONS.c.order_key, OPEN)) for name in ("finished", "deadline", "held")},
    "submissions.caller": Place(of_order(order.SUBMISSIONS.c.order_key, NO), with_(sub="other")),
    "submissions.reasons": Place(of_order(order.SUBMISSIONS.c.order_key, NO), to([])),
    "submissions.approval": Place(of_order(order.SUBMISSIONS.c.order_key, "ASKED-2"), {"number": at("number")}),
    "approval_rounds": Place(of_order(order.APPROVAL_ROUNDS.c.order_key, "ASKED-2")),
    "approval_rounds.groups": Place(of_order(order.APPROVAL_ROUNDS.c.order_key, "ASKED-2"), to(["other"])),
    "approval_rounds.rules": Place(of_order(order.APPROVAL_ROUNDS.c.order_key, "ASKED-2"), to([])),
    "approval_rounds.subject": Place(of_order(order.APPROVAL_ROUNDS.c.order_key, "ASKED-2"), to(b"")),
    "approvals": Place(of_order(order.APPROVALS.c.order_key, "ASKED-2")),
    "approvals.status": Place(of_order(order.APPROVALS.c.order_key, "ASKED-2"), to("WITHDRAWN")),
    "submissions.change": Place(_CHANGED, {"total": at("canceled", "shipping_cost")}),
    "submissions.kind": Place(_CHANGED, to("SUBMIT")),
    "submissions.outcome": Place(_CHANGED, to("OPENED")),
    "cancellations.state": Place(of_order(order.CANCELLATIONS.c.order_key, GONE), to("FREEZING")),
    "cancellations.caller": Place(None, with_(sub="other")),
    "shipped_captures.most": Place(None, {"": lambda stored: stored - 10_000}),
    "order_shipments": Place(of_order(order.SHIPMENTS.c.order_key, DONE)),
    "order_shipments.document": Place(None, document(Shipment, carrier="walked")),
    "order_events.type": Place(of(order.EVENTS.c.type, "order_submitted"), to("order_updated")),
    "order_events": Place(of(order.EVENTS.c.type, "order_completed")),
    "order_events.data": Place(
        of(order.EVENTS.c.type, "order_completed"), {"status": at("status", by="OPEN"), "total": at("facts", "total")}
    ),
    "deleted_orders.body": Place(None, {"id": at("id", by="other"), "buyer": at("from_party", "id", by="other")}),
    "requests": Place(lambda _: order.REQUESTS.c.outcome["id"].as_string() == GONE, with_(id="NOWHERE")),
}


def _charge(type: str) -> Any:
    """The transactions of a type of the card that was charged."""
    return lambda _: sa.and_(payment.TRANSACTIONS.c.payment_id == "d-card", payment.TRANSACTIONS.c.type == type)


def _operation(name: str) -> Any:
    return of(payment.GATEWAY.c.operation, name)


_CONFIRMED = of(payment.LEDGER.c.payment_id, "d-po")
PAYMENT: Places = {
    "payments": Place(of(payment.PAYMENTS.c.id, "d-po")),
    "payments.amount": Place(of(payment.PAYMENTS.c.id, "d-gift")),
    "payments.type": Place(of(payment.PAYMENTS.c.id, "d-po"), to("spending_account")),
    "payments.spending_account_id": Place(of(payment.PAYMENTS.c.id, "d-gift")),
    **{f"payments.{name}": Place(of(payment.PAYMENTS.c.id, "d-card")) for name in ("credit_card_id", "captured", "refunded")},
    "payments.state": Place(of(payment.PAYMENTS.c.id, "d-card"), to("CONFIRMED")),
    "payment_transactions": Place(_charge("CAPTURE")),
    "payment_transactions.type": Place(_charge("CAPTURE"), to("REFUND")),
    "payment_transactions.result": Place(_charge("CAPTURE"), to("DECLINED")),
    "payment_transactions.attempt": Place(_charge("AUTHORIZE")),
    "payment_transactions.result_time": Place(_charge("CAPTURE"), to(None)),
    **{
        f"payment_transactions.{name}": Place(of(payment.TRANSACTIONS.c.cause, "RECORD"), to(value))
        for name, value in (("recorded_by", ""), ("occur_time", None))
    },
    "payment_types": Place(of(payment.TYPES.c.id, "transfer")),
    "payment_types.restricted": Place(of(payment.TYPES.c.id, "terms")),
    "payment_type_assignments.user_group_id": Place(of(payment.TYPE_ASSIGNMENTS.c.user_id, "ada")),
    "payment_redirects": Place(of(payment.REDIRECTS.c.payment_id, "v-card")),
    "payment_attempts": Place(of_order(payment.ATTEMPTS.c.order_key, OPEN)),
    "payment_attempts.-": Place(
        lambda books: sa.and_(payment.ATTEMPTS.c.order_key == books.keys[OPEN], payment.ATTEMPTS.c.attempt > 0)
    ),
    "payment_attempts.order_key": Place(
        lambda books: sa.and_(payment.ATTEMPTS.c.order_key == books.keys[OPEN], payment.ATTEMPTS.c.attempt > 0)
    ),
    "payment_attempts.attempt": Place(
        lambda books: sa.and_(payment.ATTEMPTS.c.order_key == books.keys[OPEN], payment.ATTEMPTS.c.attempt > 0)
    ),
    "payment_attempts.state": Place(
        lambda books: sa.and_(payment.ATTEMPTS.c.order_key == books.keys[OPEN], payment.ATTEMPTS.c.attempt > 0), to("RELEASED")
    ),
    "spending_accounts.order_currency": Place(changes=to("EUR")),
    "spending_account_adjustments": Place(of(payment.ADJUSTMENTS.c.request_id, "adjust")),
    "ledger_entries": Place(_CONFIRMED),
    "credit_cards": Place(of(payment.CARDS.c.id, "visa")),
    "credit_cards.restricted": Place(of(payment.CARDS.c.id, "corporate")),
    # Of what is assigned to a user.
    "spending_account_assignments.user_group_id": Place(of(payment.ACCOUNT_ASSIGNMENTS.c.user_id, "ada")),
    "credit_card_assignments.user_group_id": Place(of(payment.CARD_ASSIGNMENTS.c.user_id, "ada")),
    "test_gateway_operations": Place(_operation("capture")),
    "test_gateway_operations.operation": Place(_operation("capture"), to("refund")),
    "test_gateway_operations.state": Place(_operation("capture"), to("DECLINED")),
    "payment_alerts.version": Place(),
    "payment_orders": Place(of_order(payment.ORDERS.c.order_key, CUT)),
    "requests": Place(lambda _: payment.REQUESTS.c.method.like("%/CapturePayment"), with_(transactions=["nowhere"])),
}
