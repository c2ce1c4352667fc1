"""Two witnesses of one thing: an order beside its history, its attempts and what fulfillment reported of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, cast

from libs.protoconv import address_plain, money_micros, struct_plain, time_out
from services.order.adapters.db.invariants.whole import Whole
from services.order.application.submission.attempts import AWAITING_APPROVAL, leads_to
from services.order.domain.history import stated
from services.order.domain.model import Event, Line, Order
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder, SupplierOrderLine

_LEADS_TO = {"order_created": "UNSUBMITTED", "submission_begun": "UNSUBMITTED", "submission_refused": "UNSUBMITTED"}
_LEADS_TO |= {
    "order_transferred": "UNSUBMITTED",
    "order_submitted": "OPEN",
    "order_awaiting_approval": "AWAITING_APPROVAL",
    "approval_given": "AWAITING_APPROVAL",
    "approval_begun": "AWAITING_APPROVAL",
    "approval_refused": "AWAITING_APPROVAL",
    "order_approved": "OPEN",
    "order_recalled": "UNSUBMITTED",
    "order_completed": "COMPLETED",
    "order_canceled": "CANCELED",
}
"""What an order is after such an event."""
_NEVER_CHANGED = ("created_by", "currency")
_KEPT_ONCE_TRANSFERRED = ("client_id", "guest")
"""A guest's order has a channel until it is transferred, and another one from then on."""
_KEPT_ONCE_SUBMITTED = ("content_version", "line_items", "total", "must_cover_total", "fees")
_CLOCKS = timedelta(minutes=1)
"""How far the clocks of two replicas may be apart."""
_SUMMED = ("subtotal", "discount", "tax")


def _history(whole: Whole) -> str | None:
    """The newest event states the order as it is; the first states who made it, and when."""
    order, first, newest = whole.order, whole.events.get(1), whole.events.get(whole.order.version)
    if first is None or newest is None:
        return None
    mine = stated(order)
    # Where the lines go to is stated beside it, and looked at with the lines.
    facts = {name: said for name, said in newest.facts.items() if name != "ship_to"}
    wrong = [f"{name} {mine.get(name)}, event says {said}" for name, said in facts.items() if mine.get(name) != said]
    for event in whole.events.values():
        if event is not newest:
            wrong += [f"{name} {mine[name]}, event {event.sequence} says {said}" for name, said in _kept(whole, event, mine)]
        if event.status != _LEADS_TO.get(event.type, event.status):
            wrong.append(f"event {event.sequence} {event.type} says {event.status}")
    wrong += _backwards([event for _, event in sorted(whole.events.items())])
    if newest.time != order.update_time:
        wrong.append(f"update_time {order.update_time}, event says {newest.time}")
    if (first.user_id, first.time) != (order.created_by, order.create_time):
        wrong.append(f"created by {order.created_by} at {order.create_time}, event says {first.user_id} at {first.time}")
    if order.is_submitted and whole.submit_time != order.submit_time:
        wrong.append(f"submit_time {order.submit_time}, event says {whole.submit_time}")
    return "; ".join(wrong)


def _kept(whole: Whole, event: Event, mine: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What an older event stated that has not changed since, and is stored otherwise now."""
    submitted = whole.order.is_submitted and whole.submit_sequence <= event.sequence
    transfers = whole.event("order_transferred")
    its_own = not transfers or transfers[-1].sequence <= event.sequence
    for name in (*_NEVER_CHANGED, *(_KEPT_ONCE_TRANSFERRED if its_own else ()), *(_KEPT_ONCE_SUBMITTED if submitted else ())):
        if name in event.facts and event.facts[name] != mine[name]:
            yield name, event.facts[name]


def _backwards(events: Sequence[Event]) -> Iterator[str]:
    for before, after in pairwise(events):
        if after.time < before.time - _CLOCKS:
            yield f"event {after.sequence} at {after.time}, event {before.sequence} at {before.time}"


def _attempts(whole: Whole) -> str | None:
    """When an attempt began and was decided, by whom, and why it was refused, is what its events state."""
    if not whole.attempts:
        return None
    began = {event.data.get("attempt"): event for event in whole.event("submission_begun")}
    types = ("submission_refused", "order_submitted", "order_awaiting_approval", "order_approved", "change_decided")
    ends = [e for type in types for e in whole.event(type)]
    ended = {e.data.get("attempt"): e for e in ends}
    wrong: list[str] = []
    for attempt in whole.attempts:
        begin, end = began.get(attempt.attempt), ended.get(attempt.attempt)
        if begin is not None and (begin.time, begin.user_id) != (attempt.begin_time, attempt.caller.get("sub", begin.user_id)):
            wrong.append(f"attempt {attempt.attempt} began {attempt.begin_time}, event says {begin.time}")
        if end is not None and end.time != attempt.decide_time:
            wrong.append(f"attempt {attempt.attempt} was decided {attempt.decide_time}, event says {end.time}")
        decider = attempt.caller.get("sub") if attempt.given is None else attempt.given.by.user_id
        if end is not None and end.user_id != (decider or end.user_id):
            wrong.append(f"attempt {attempt.attempt} is of {decider}, event says {end.user_id}")
        known = None if end is None else end.data.get("reasons")
        if known is not None and known != sorted({r.reason for r in attempt.reasons}):
            wrong.append(f"attempt {attempt.attempt} was refused for {[r.reason for r in attempt.reasons]}, event says {known}")
        made = leads_to(attempt) if attempt.state == "ACCEPTED" else ""
        if attempt.state == "ACCEPTED" and attempt.held is (made == AWAITING_APPROVAL):
            wrong.append(f"attempt {attempt.attempt} is accepted and held {'something' if attempt.held else 'nothing'}")
        if attempt.outcome != made:
            wrong.append(f"attempt {attempt.attempt} led to {attempt.outcome!r}, its kind and state make it {made!r}")
    return "; ".join(wrong)


def _canceled(whole: Whole) -> str | None:
    """Who canceled an open order, and why, is what its history states."""
    row, canceled = whole.cancel, whole.event("order_canceled")
    # What nobody has canceled ended because its suppliers did not ship.
    if not whole.order.is_submitted or not canceled or not canceled[-1].user_id:
        return None
    if row is None or row.state == "FREEZING":
        return f"canceled by {canceled[-1].user_id}, and nothing was decided"
    did, said = (row.caller.get("sub"), row.comment), (canceled[-1].user_id, canceled[-1].data.get("comment"))
    return "" if did == said else f"canceled by {did[0]} ({did[1]!r}), event says {said[0]} ({said[1]!r})"


def _places(whole: Whole) -> str | None:
    """A line goes where its history says, by the id in the address book."""
    first = whole.events.get(1)
    if first is None or "ship_to" not in first.facts:
        return None
    stated_places: dict[str, str] = {}
    for _, event in sorted(whole.events.items()):
        stated_places |= cast(Mapping[str, str], event.facts.get("ship_to", {}))
    wrong = [
        f"line {line.id}: shipping_address_id {line.shipping_address_id!r}, events say {stated_places.get(line.id, '')!r}"
        for line in whole.lines
        if line.shipping_address_id != stated_places.get(line.id, "")
    ]
    return "; ".join(wrong)


def _forwarded(whole: Whole) -> str | None:
    """Header and lines are those that the supplier orders were made of, and their amounts add up to the lines'."""
    if not whole.documents:
        return None
    lines = {line.id: line for line in whole.lines}
    wrong = [text for document in whole.documents for text in _against_order(document, whole.order)]
    for document in whole.documents:
        for item in document.line_items:
            line = lines.get(item.line_item_id)
            if line is not None:
                wrong += _against_line(document.id, item, line)
    wrong += _freight(whole)
    for line in whole.lines:
        wrong += _sums(line, [i for d in whole.documents for i in d.line_items if i.line_item_id == line.id])
    return "; ".join(wrong)


def _against_order(m: SupplierOrder, order: Order) -> Iterator[str]:
    pairs: dict[str, tuple[Any, Any]] = {
        "order_id": (order.id, m.order_id),
        "client_id": (order.client_id, m.client_id),
        "currency": (order.currency, m.currency),
        "comments": (order.comments, m.comments),
        "shipping_address": (order.shipping_address, _address(m, "shipping_address")),
        "billing_address": (order.billing_address, _address(m, "billing_address")),
    }
    for name, (mine, reported) in pairs.items():
        if mine != reported:
            yield f"{name} is not that of {m.id}"


def _against_line(id: str, item: SupplierOrderLine, line: Line) -> Iterator[str]:
    pairs: dict[str, tuple[Any, Any]] = {
        "product_id": (line.product_id, item.product_id),
        "variant_id": (line.variant_id, item.variant_id),
        "specs": (
            [(c.spec_id, c.name, c.option_id, c.option_name, c.value) for c in line.choices],
            [(s.spec_id, s.name, s.option_id, s.option_name, s.value) for s in item.specs],
        ),
        "product.name": (line.product.name, item.product_name),
        "product.shippable": (line.product.shippable, item.shippable),
        "unit_price": (line.unit_price, money_micros(item.unit_price)),
        "shipping_address": (line.shipping_address, _address(item, "shipping_address")),
        "pickup_location_id": (line.pickup_location_id, item.pickup_location_id),
        "xp": (dict(line.xp), struct_plain(item.xp)),
        "cost_center": (line.cost_center, item.cost_center),
        "shipping_account": (line.shipping_account, item.shipping_account),
        "comments": (line.comments, item.comments),
        "date_needed": (time_out(line.date_needed), item.date_needed if item.HasField("date_needed") else None),
    }
    for name, (mine, reported) in pairs.items():
        if mine != reported:
            yield f"line {line.id}: {name} is not that of {id}"


def _sums(line: Line, items: list[SupplierOrderLine]) -> Iterator[str]:
    # Where the units are not all there, another report is on its way, and brings their amounts.
    if sum(item.quantity for item in items) != line.quantity:
        return
    for name in _SUMMED:
        made = sum(money_micros(getattr(item, name)) for item in items)
        if getattr(line, name) != made:
            yield f"line {line.id}: {name} {getattr(line, name)}, in supplier orders {made}"


def _freight(whole: Whole) -> Iterator[str]:
    """What is charged for every chosen method is shared by the supplier orders."""
    items = [i for d in whole.documents for i in d.line_items]
    there = all(sum(i.quantity for i in items if i.line_item_id == line.id) == line.quantity for line in whole.lines)
    if whole.worksheet is None or not there:
        return
    charged = {s.ship_estimate_id: s.net for s in whole.worksheet.shipments}
    chosen = {e.id: charged.get(e.id, 0) for e in whole.worksheet.estimates if e.selected is not None}
    shared = dict.fromkeys(chosen, 0)
    for selection in (s for d in whole.documents for s in d.ship_selections):
        id = selection.ship_estimate_id
        shared[id] = shared.get(id, 0) + money_micros(selection.cost)
    if shared != chosen:
        yield f"shipping is charged as {chosen}, in supplier orders {shared}"


def _address(message: Any, name: str) -> Any:
    return address_plain(getattr(message, name)) if message.HasField(name) else None


RULES: dict[str, Callable[[Whole], str | None]] = {
    "newest_event_states_the_order": _history,
    "attempts_are_as_in_the_history": _attempts,
    "cancel_is_as_in_the_history": _canceled,
    "lines_go_where_they_were_sent": _places,
    "supplier_orders_are_made_of_the_order": _forwarded,
}
"""By name: None when the order is none of the rule's business, an empty text when it holds, else what is wrong."""
