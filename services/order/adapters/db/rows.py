"""Between rows and the domain's values, field by field."""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Any

from libs.relay.change import Cause
from libs.relay.changes import cause
from libs.rpc.call import impersonator_id
from services.order.adapters.db.approval.approval_rows import approval_json, case_of, given_of
from services.order.adapters.db.fee_rows import fees_of
from services.order.application.records import Attempt, OrderChange, PaymentDocument, SupplierOrderView
from services.order.domain.exemptions import TaxExemption
from services.order.domain.fees import listed
from services.order.domain.model import CanceledAmounts, Event, Order, OrderHold, OrderUser, Origin, Problem, Submission
from services.order.domain.policy import ALL_TYPES, AutoForward, Capture, Policy
from services.order.domain.status import OrderStatus

Row = Any
"""A row mapping; SQLAlchemy types its keys too narrowly for Mapping[str, Any]."""
_ORDER_FIELDS = (
    "key",
    "id",
    "seller_id",
    "buyer_id",
    "created_by",
    "client_id",
    "currency",
    "version",
    "content_version",
    "estimated_version",
    "calculated_version",
    "is_submitted",
    "guest",
    "sub_status",
    "sub_status_time",
    "line_item_count",
    "subtotal",
    "discount",
    "shipping_cost",
    "tax",
    "gratuity",
    "total",
    "shipping_cost_override",
    "tax_override",
    "shipping_address_id",
    "shipping_address",
    "billing_address_id",
    "billing_address",
    "comments",
    "xp",
    "create_time",
    "update_time",
    "submit_time",
    "approve_time",
    "decline_time",
    "forward_time",
    "complete_time",
    "cancel_time",
    "included_tax",
)
CANCELED = ("subtotal", "discount", "shipping_cost", "tax", "gratuity", "included_tax", "fee_total")
"""Amounts of canceled units; their columns are named `canceled_...`, as is that of their total."""
ORDER_COLUMNS = (
    *_ORDER_FIELDS,
    *(f"canceled_{name}" for name in (*CANCELED, "total")),
    "kind",
    "user_id",
    "user",
    "status",
    "policy",
    "submission",
    "held",
    "holds",
    "tax_exemptions",
    "fees",
    "fee_total",
)
"""What `order_row` names."""


def order_row(order: Order) -> dict[str, Any]:
    """The columns of a buyer order."""
    row: dict[str, Any] = {name: getattr(order, name) for name in _ORDER_FIELDS}
    row |= {
        "kind": "BUYER",
        "user_id": order.user.id,
        "user": asdict(order.user),
        "status": order.status.value,
        "policy": asdict(order.policy),
        "submission": None if order.submission is None else submission_json(order.submission),
        "held": order.held,
        "holds": [_hold_json(hold) for hold in order.holds] or None,
        "tax_exemptions": [_exemption_json(one) for one in order.tax_exemptions] or None,
        "fees": listed(order.fees),
        "fee_total": order.fee_total,
        **{f"canceled_{name}": getattr(order.canceled, name) for name in (*CANCELED, "total")},
    }
    return row


def order_of(row: Row) -> Order:
    """A buyer order."""
    return Order(
        **{name: row[name] for name in _ORDER_FIELDS},
        user=OrderUser(**row["user"]),
        status=OrderStatus(row["status"]),
        policy=_policy_of(row["policy"]),
        submission=None if row["submission"] is None else submission_of(row["submission"]),
        holds=tuple(_hold_of(stored) for stored in row["holds"] or ()),
        tax_exemptions=tuple(_exemption_of(stored) for stored in row["tax_exemptions"] or ()),
        fees=fees_of(row["fees"]),
        canceled=CanceledAmounts(*(row[f"canceled_{name}"] for name in CANCELED)),
        status_before=OrderStatus(row["status"]),
        initial_sub_statuses=_initials_of(row.get("initial_sub_statuses")),
    )


def _initials_of(stored: str | None) -> dict[OrderStatus, str]:
    pairs = [pair.split(" ") for pair in stored.split(",")] if stored else []
    return {OrderStatus(status): id for status, id in pairs}


def _policy_of(stored: Row) -> Policy:
    types, stages = stored.get("payment_types", ALL_TYPES), stored.get("sourcing_stages", ())
    values = {**stored, "payment_types": tuple(types), "sourcing_stages": tuple(stages)}
    if "auto_forward" in values:
        values["auto_forward"] = AutoForward(values["auto_forward"])
    if "capture" in values:
        values["capture"] = Capture(values["capture"])
    return Policy(**values)


def supplier_view(row: Row) -> SupplierOrderView:
    """A supplier order as last reported."""
    return SupplierOrderView(
        key=row["key"],
        id=row["id"],
        parent_key=row["parent_key"],
        supplier_id=row["supplier_id"],
        seller_id=row["seller_id"],
        status=row["status"],
        supplier_status=row["supplier_status"],
        version=row["version"],
        source_version=row["source_version"],
        document=row["document"],
        moved=row["kind"] == "MOVED",
    )


def submission_json(submission: Submission) -> dict[str, Any]:
    """An attempt as it is kept on its order."""
    return {
        "attempt": submission.attempt,
        "state": submission.state,
        "finished": submission.finished,
        "user_id": submission.user_id,
        "begin_time": submission.begin_time.isoformat(),
        "deadline": submission.deadline.isoformat(),
        "reasons": [asdict(r) for r in submission.reasons],
        "decide_time": submission.decide_time.isoformat() if submission.decide_time else None,
        "kind": submission.kind,
        "outcome": submission.outcome,
    }


def submission_of(stored: Row) -> Submission:
    """An attempt as it is kept on its order."""
    decided = stored["decide_time"]
    return Submission(
        attempt=stored["attempt"],
        state=stored["state"],
        finished=stored["finished"],
        user_id=stored["user_id"],
        begin_time=datetime.fromisoformat(stored["begin_time"]),
        deadline=datetime.fromisoformat(stored["deadline"]),
        reasons=tuple(Problem(**r) for r in stored["reasons"]),
        decide_time=datetime.fromisoformat(decided) if decided else None,
        kind=stored.get("kind", "SUBMIT"),
        outcome=stored.get("outcome", ""),
    )


def _hold_json(hold: OrderHold) -> dict[str, Any]:
    stored = asdict(hold)
    for name in ("create_time", "release_time"):
        stored[name] = stored[name].isoformat() if stored[name] else None
    return stored


def _hold_of(stored: Row) -> OrderHold:
    values = dict(stored)
    for name in ("create_time", "release_time"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    return OrderHold(**values)


def _exemption_json(one: TaxExemption) -> list[str | None]:
    times = [time.isoformat() if time else None for time in (one.start, one.end)]
    return [one.country, one.tax_class, one.certificate_id, *times]


def _exemption_of(stored: Row) -> TaxExemption:
    country, tax_class, certificate, *times = stored
    return TaxExemption(country, tax_class, certificate, *(datetime.fromisoformat(time) if time else None for time in times))


def event_row(event: Event) -> dict[str, Any]:
    """The columns of an event, with the call that is being served. One that nobody signed in for is background work."""
    by = cause()
    by = by if by.actor else Cause()
    return {
        "client_id": by.client_id,
        "request_id": by.request_id[:200],
        # Of whom the event names: what goes on in the background was begun by somebody, too.
        "impersonator_id": impersonator_id() if event.user_id else "",
        "aggregate_key": event.order_key,
        "sequence": event.sequence,
        "type": event.type,
        "time": event.time,
        "data": {
            "status": event.status,
            "user": event.user_id,
            "party": event.party_id,
            "data": dict(event.data),
            "facts": dict(event.facts),
        },
    }


def event_of(row: Row) -> Event:
    """An event."""
    data = row["data"]
    return Event(
        order_key=row["aggregate_key"],
        sequence=row["sequence"],
        type=row["type"],
        status=data["status"],
        user_id=data["user"],
        party_id=data["party"],
        time=row["time"],
        data=data["data"],
        facts=data.get("facts", {}),
        origin=Origin(row["client_id"], row["request_id"], row["impersonator_id"]),
    )


def attempt_row(attempt: Attempt) -> dict[str, Any]:
    """The columns of a submission."""
    return {
        "order_key": attempt.order_key,
        "attempt": attempt.attempt,
        "state": attempt.state,
        "finished": attempt.finished,
        "held": attempt.held,
        "caller": dict(attempt.caller),
        "reasons": [asdict(r) for r in attempt.reasons],
        "new_payments": [base64.b64encode(payment).decode() for payment in attempt.new_payments],
        "begin_time": attempt.begin_time,
        "deadline": attempt.deadline,
        "decide_time": attempt.decide_time,
        "next_action_time": attempt.next_action_time,
        "kind": attempt.kind,
        "outcome": attempt.outcome,
        "change": change_json(attempt.change),
        "approval": approval_json(attempt.case, attempt.given),
    }


def change_json(change: OrderChange | None) -> dict[str, Any] | None:
    """A change as it is kept with its attempt."""
    return None if change is None else asdict(change)


def _change_of(stored: Row) -> OrderChange | None:
    if stored is None:
        return None
    canceled = stored["canceled"]
    return OrderChange(stored["what"], stored["comment"], None if canceled is None else CanceledAmounts(**canceled))


def attempt_of(row: Row) -> Attempt:
    """A submission."""
    return Attempt(
        order_key=row["order_key"],
        attempt=row["attempt"],
        state=row["state"],
        finished=row["finished"],
        held=row["held"],
        caller=row["caller"],
        begin_time=row["begin_time"],
        deadline=row["deadline"],
        next_action_time=row["next_action_time"],
        reasons=tuple(Problem(**r) for r in row["reasons"]),
        decide_time=row["decide_time"],
        new_payments=tuple(PaymentDocument(base64.b64decode(text)) for text in row["new_payments"]),
        kind=row["kind"],
        outcome=row["outcome"],
        change=_change_of(row["change"]),
        case=case_of(row["approval"]),
        given=given_of(row["approval"]),
        failures=row["failures"],
        failure=row["failure"],
    )
