"""What the database cannot say alone: every order's derived values, computed again by the domain, a page at a time."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

import sqlalchemy as sa

from libs.db import Tx
from libs.db.invariants import readable, why
from libs.invariants import Fact, Finding, RuleResult
from libs.protoconv import money_micros
from services.order.adapters.db.approval.round_store import SqlRoundStore
from services.order.adapters.db.checkout.worksheet_rows import worksheet_of
from services.order.adapters.db.invariants.approvals import approvals
from services.order.adapters.db.invariants.parts import RULES as PARTS
from services.order.adapters.db.invariants.whole import Whole
from services.order.adapters.db.invariants.witnesses import RULES as WITNESSES
from services.order.adapters.db.line_rows import line_of
from services.order.adapters.db.rows import attempt_of, event_of, order_of
from services.order.adapters.db.tables import CANCELLATIONS, CAPTURES, EVENTS, LINE_ITEMS, ORDERS, SUBMISSIONS, WORKSHEETS
from services.order.application.records import Attempt
from services.order.contract.reports import counts_of, reports_of
from services.order.domain.checkout.amounts import totals
from services.order.domain.model import CanceledAmounts, Submission
from services.order.domain.progress.capture import captured_on_shipment, due_for_shipped
from services.order.domain.progress.fulfillment import UnitCount, open_units, progress
from services.order.domain.status import derived
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder

CONTEXT = "order"
PAGE = 200
Stated = Callable[[Tx, Sequence[uuid.UUID]], Awaitable[Sequence[Fact]]]
_O, _L, _S, _C, _E = ORDERS.c, LINE_ITEMS.c, SUBMISSIONS.c, CANCELLATIONS.c, EVENTS.c
_WITNESSES = (
    "submission_begun",
    "submission_refused",
    "order_submitted",
    "order_awaiting_approval",
    "approval_begun",
    "approval_given",
    "order_approved",
    "order_declined",
    "order_recalled",
    "change_decided",
    "order_forwarded",
    "order_completed",
    "order_canceled",
    "order_transferred",
    "line_items_added",
    "line_items_updated",
    "line_items_removed",
)
"""Events that bear witness: of attempts, of times, of where lines go."""


async def recomputed(tx: Tx, stated: Stated) -> AsyncIterator[Finding | Fact | RuleResult]:
    """Findings, and the facts that are `stated` of each page's orders in the order of their keys; then what every rule
    looked at."""
    rows, broken = dict.fromkeys(RULES, 0), dict.fromkeys(RULES, 0)
    last = uuid.UUID(int=0)
    while keys := await page_of_orders(tx, last):
        async for whole in readable(CONTEXT, "order", keys, partial(_wholes, tx)):
            if isinstance(whole, Finding):
                yield whole
                continue
            for name, rule in RULES.items():
                detail = _judged(rule, whole)
                if detail is None:
                    continue
                rows[name] += 1
                if detail:
                    broken[name] += 1
                    yield Finding(CONTEXT, name, whole.order.id, detail)
        async for fact in readable(CONTEXT, "order", keys, partial(stated, tx)):
            yield fact
        last = keys[-1]
    for name in RULES:
        yield RuleResult(name, rows[name], broken[name])


def _judged(rule: Callable[[Whole], str | None], whole: Whole) -> str | None:
    """What a rule says of an order; one that cannot be worked out is broken."""
    try:
        return rule(whole)
    except Exception as error:
        return f"cannot be worked out: {why(error)}"


async def page_of_orders(tx: Tx, last: uuid.UUID) -> Sequence[uuid.UUID]:
    """Keys of the buyer orders that follow a key."""
    statement = sa.select(_O.key).where(_O.kind == "BUYER", _O.key > last).order_by(_O.key).limit(PAGE)
    return (await tx.execute(statement)).scalars().all()


async def _wholes(tx: Tx, keys: Sequence[uuid.UUID]) -> list[Whole]:
    rows = (await tx.execute(sa.select(ORDERS).where(_O.key.in_(keys)).order_by(_O.key))).mappings()
    found = {row["key"]: Whole(order_of(row), held=row["held"], canceled_total=row["canceled_total"]) for row in rows}
    for line in (await tx.execute(sa.select(LINE_ITEMS).where(_L.order_key.in_(keys)))).mappings():
        found[line["order_key"]].lines.append(line_of(line))
    for row in await tx.execute(sa.select(WORKSHEETS).where(WORKSHEETS.c.order_key.in_(keys))):
        found[row.order_key].worksheet = worksheet_of(row.body)
    attempts = sa.select(SUBMISSIONS).where(_S.order_key.in_(keys)).order_by(_S.attempt)
    for kept in (await tx.execute(attempts)).mappings():
        attempt = attempt_of(kept)
        found[attempt.order_key].attempts.append(attempt)
        if attempt.state == "ACCEPTED" and attempt.change is not None:
            found[attempt.order_key].changed = attempt.change.canceled
    for key, cases in (await SqlRoundStore(tx).of(keys)).items():
        found[key].cases = cases
    for row in await tx.execute(sa.select(CANCELLATIONS).where(_C.order_key.in_(keys))):
        found[row.order_key].cancel_decided = row.state != "FREEZING"
        found[row.order_key].cancel = row
    for row in await tx.execute(sa.select(CAPTURES).where(CAPTURES.c.order_key.in_(keys))):
        found[row.order_key].captured = row.value
    for row in await tx.execute(sa.select(ORDERS).where(_O.parent_key.in_(keys), _O.kind != "BUYER")):
        found[row.parent_key].reports.append(row)
        found[row.parent_key].documents.append(SupplierOrder.FromString(row.document))
    witnesses = sa.or_(_E.sequence == 1, _E.sequence == _O.version, _E.type.in_(_WITNESSES))
    selected = sa.select(EVENTS).join(ORDERS, _O.key == _E.aggregate_key).where(_O.key.in_(keys), witnesses)
    for event in (await tx.execute(selected)).mappings():
        found[event["aggregate_key"]].events[event["sequence"]] = event_of(event)
    return list(found.values())


def _totals(whole: Whole) -> str | None:
    """Amounts are the sums of the parts that the worksheet keeps; what was set for the whole order is what its parts make."""
    order = whole.order
    if whole.worksheet is None or not order.calculated or not order.line_item_count:
        return None
    made = totals(whole.worksheet.lines, whole.worksheet.shipments, order.fees)
    stored = (order.subtotal, order.discount, order.shipping_cost, order.tax, order.included_tax)
    if stored != (made.subtotal, made.discount, made.shipping_cost, made.tax, made.included_tax):
        return f"subtotal, discount, shipping, tax and included tax are {stored}, the parts make {made}"
    # A cost that was set by hand is what it costs before discounts, and with the tax that an exempt buyer does not pay.
    cost = sum(s.cost + s.exempted_tax for s in whole.worksheet.shipments)
    by_hand = {"shipping_cost": (order.shipping_cost_override, cost), "tax": (order.tax_override, made.tax)}
    wrong = {name: own for name, (own, parts) in by_hand.items() if own not in (None, parts)}
    return f"set by hand to {wrong}, the parts make {made}" if wrong else ""


def _status(whole: Whole) -> str | None:
    """The status is what quantities and recorded decisions make."""
    order = whole.order
    canceled = whole.cancel_decided or (not order.is_submitted and order.cancel_time is not None)
    made = derived(
        order.is_submitted,
        canceled,
        sum(open_units(line) for line in whole.lines),
        sum(line.quantity_shipped for line in whole.lines),
        waits=bool(whole.cases) and bool(whole.cases[-1].round.pending),
        declined=order.decline_time is not None,
    )
    return "" if made is order.status else f"{order.status}, its units and decisions make it {made}"


_WHEN = {"forward_time": "order_forwarded", "complete_time": "order_completed", "cancel_time": "order_canceled"}
"""The type of the event that happened at a time."""


def _times(whole: Whole) -> str | None:
    """Each status has its time, and no other has it."""
    order = whole.order
    pairs = (
        ("submit", order.is_submitted, order.submit_time),
        ("cancel", order.status == "CANCELED", order.cancel_time),
        ("approve", bool(whole.event("order_approved")), order.approve_time),
        ("decline", any(not e.data.get("allow_resubmit") for e in whole.event("order_declined")), order.decline_time),
        ("complete", order.status == "COMPLETED", order.complete_time),
    )
    wrong = [name for name, reached, time in pairs if reached != (time is not None)]
    for name, type in _WHEN.items():
        happened, time = whole.event(type), getattr(order, name)
        if bool(happened) != (time is not None) or (happened and happened[-1].time != time):
            wrong.append(f"{name} {time}")
    return f"{order.status} against its times of {', '.join(wrong)}" if wrong else ""


def _quantities(whole: Whole) -> str | None:
    """Shipped and canceled units are those of the reports: applying them again changes nothing."""
    if not whole.reports:
        return None
    counts: list[UnitCount] = []
    for document in whole.documents:
        counts += counts_of(document)
    result = progress(whole.order, whole.lines, counts, whole.order.update_time)
    if not result.changed_lines and not result.completed and not result.canceled:
        return ""
    lines = {
        line.id: f"{line.quantity_shipped}/{line.quantity_canceled}/{line.quantity_backordered} {line.expected_time or ''}"
        for line in result.changed_lines
    }
    return f"the reports make it {result.order.status}, shipped/canceled/waiting {lines}"


def _copies(whole: Whole) -> str | None:
    """Rows of supplier orders are what their reports say."""
    if not whole.reports:
        return None
    wrong: list[str] = []
    for row, document in zip(whole.reports, whole.documents, strict=True):
        (report,) = reports_of([document]).supplier_orders
        # The document itself is what they are made of: its bytes may be put in another order, and mean the same.
        values = {name: value for name, value in report.row.items() if name != "document"}
        wrong += [f"{row.id}.{name}" for name, value in values.items() if row._mapping[name] != value]
    return f"not as reported: {', '.join(wrong)}" if wrong else ""


def _canceled(whole: Whole) -> str | None:
    """Canceled amounts are those of a decision: the whole order's, those of its last change, or none."""
    order, change = whole.order, whole.changed
    if order.status == "CANCELED":
        made = order.wholly_canceled if order.is_submitted else CanceledAmounts()
    else:
        made = change or CanceledAmounts()
    if order.canceled != made or whole.canceled_total != made.total:
        return f"canceled {order.canceled}, {whole.canceled_total} in all; what was decided makes it {made}"
    return ""


def _captured(whole: Whole) -> str | None:
    """What is captured on shipment is what has shipped, as its supplier orders were reported."""
    if not captured_on_shipment(whole.order):
        return None if whole.captured is None else "is captured on shipment, and its channel has not said so"
    made = due_for_shipped(whole.order, whole.lines, [money_micros(d.shipped_total) for d in whole.documents])
    return "" if (whole.captured or 0) == made else f"{whole.captured} is to be captured, {made} has shipped"


def _shown(whole: Whole) -> str | None:
    """The attempt that the order shows is its newest."""
    newest, shown = whole.newest, whole.order.submission
    if newest is None and shown is None:
        return None
    if newest is None or shown is None:
        return "an attempt is shown that is not kept" if newest is None else "its newest attempt is not shown"
    kept, seen = _state(newest), _state(shown)
    return "" if seen == kept else f"shows {seen}, its attempt is {kept}"


def _held(whole: Whole) -> str | None:
    """An order is on hold as long as one of its holds is in force."""
    if not whole.order.holds and not whole.held:
        return None
    return "" if whole.held is whole.order.held else f"held: {whole.held}, its holds make it {whole.order.held}"


def _state(one: Attempt | Submission) -> str:
    decided = one.decide_time or ""
    ends = "finished" if one.finished else "unfinished"
    return f"{one.kind} {one.attempt} {one.state} {ends} {decided}, begun {one.begin_time} until {one.deadline}"


RULES: dict[str, Callable[[Whole], str | None]] = {
    "amounts_follow_from_the_worksheet": _totals,
    "status_follows_units": _status,
    "times_follow_status": _times,
    "units_are_those_reported": _quantities,
    "read_model_is_its_report": _copies,
    "canceled_amounts_follow_decisions": _canceled,
    "captures_are_of_what_shipped": _captured,
    "newest_attempt_is_shown": _shown,
    "held_follows_holds": _held,
    "approvals_follow_the_history": approvals,
    **PARTS,
    **WITNESSES,
}
"""By name: None when the order is none of the rule's business, an empty text when it holds, else what is wrong."""
