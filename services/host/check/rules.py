"""What only a comparison between contexts can show, rule by rule: pure functions of one order's facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from libs.invariants import differing
from services.host.check.subjects import ALERT, ATTEMPT, CANCEL, DELETION, HOLD, PENDING, UNREPORTED, Kind, Subject, Values

HOLDERS = (("pricing", "attempt"), ("payment", "payment_attempt"), ("fulfillment", "stock_attempt"))
AMOUNTS = ("subtotal", "discount", "shipping_cost", "tax", "included_tax", "total")
SEEN_BY = ("supplier_id", "buyer_id", "user_id", "listed")
"""What sorts a supplier order into listings: whose it is, and whether its units have not moved to others by forwarding."""


@dataclass(frozen=True, slots=True)
class CrossRule:
    """One comparison."""

    name: str
    needs: frozenset[str]
    """Contexts without which it says nothing."""
    concerns: Callable[[Subject], bool]
    differences: Callable[[Subject], Iterator[str]]
    excuses: tuple[Kind, ...]
    """What, while it is under way, may be why there are any."""


def _attempts(subject: Subject) -> dict[str, tuple[str, bool]]:
    return {v["attempt"]: (v["state"], v["finished"] == "1") for v in subject.all("order", "attempt")}


def _has_attempts(subject: Subject) -> bool:
    return any(subject.all(*holder) for holder in HOLDERS)


def _held_for_nothing(subject: Subject) -> Iterator[str]:
    attempts = _attempts(subject)
    for context, kind in HOLDERS:
        for held in subject.all(context, kind):
            state, finished = attempts.get(held["attempt"], ("unknown", True))
            if held["state"] == "RESERVED" and finished:
                yield f"{context} holds attempt {held['attempt']}, which is {state} and at its end"


def _confirmed_unaccepted(subject: Subject) -> Iterator[str]:
    attempts = _attempts(subject)
    for context, kind in HOLDERS:
        for held in subject.all(context, kind):
            state, _ = attempts.get(held["attempt"], ("unknown", True))
            if held["state"] == "CONFIRMED" and state != "ACCEPTED":
                yield f"{context} confirmed attempt {held['attempt']}, which is {state}"


def _accepted(subject: Subject, kind: str = "") -> list[str]:
    """Attempts that were accepted and are at their end, of one kind or of all."""
    kinds = {v["attempt"]: v.get("kind", "SUBMIT") for v in subject.all("order", "attempt")}
    ended = [n for n, (state, finished) in _attempts(subject).items() if state == "ACCEPTED" and finished]
    return [n for n in ended if kind in ("", kinds[n])]


def _accepted_unconfirmed(subject: Subject) -> Iterator[str]:
    canceled = subject.one("order", "order").get("status") == "CANCELED"
    submits = [*_accepted(subject, "SUBMIT"), *_accepted(subject, "APPROVE")]
    for attempt in _accepted(subject):
        # Payment knows no attempt of a change: what it has to do with one is a ceiling, which another rule compares.
        for context, kind in HOLDERS[1:] if attempt in submits else HOLDERS[2:]:
            state = next((v["state"] for v in subject.all(context, kind) if v["attempt"] == attempt), "unknown")
            # A cancel that came before the confirm has released the payments.
            if state != "CONFIRMED" and not (canceled and context == "payment" and state == "RELEASED"):
                yield f"attempt {attempt} is accepted, {state} in {context}"


def _settled(subject: Subject) -> bool:
    return bool(_accepted(subject))


def _units(subject: Subject, context: str) -> dict[str, list[str]]:
    return {line: units.split("/") for line, units in subject.one(context, "units").items()}


def _not_a_partition(subject: Subject) -> Iterator[str]:
    ordered = {line: units[0] for line, units in _units(subject, "order").items()}
    supplied = {line: units[0] for line, units in _units(subject, "fulfillment").items()}
    for line in sorted(ordered.keys() | supplied.keys()):
        if ordered.get(line) != supplied.get(line):
            yield f"line {line}: {ordered.get(line, 'none')} ordered, {supplied.get(line, 'none')} in supplier orders"


def _parked(subject: Subject, context: str, kind: str, name: str) -> set[str]:
    """What the order service cannot know yet: its report waits for an operator, which the check names apart from findings."""
    return {v[name] for v in subject.all(context, "parked") if v["kind"] == kind}


def _units_differ(subject: Subject) -> Iterator[str]:
    ours, theirs = _units(subject, "order"), _units(subject, "fulfillment")
    unreported = subject.one("fulfillment", "unreported_lines")
    for line in sorted((ours.keys() & theirs.keys()) - unreported.keys()):
        if ours[line][1:] != theirs[line][1:]:
            yield f"line {line}: shipped/canceled {'/'.join(ours[line][1:])}, fulfillment says {'/'.join(theirs[line][1:])}"


def _amounts_differ(subject: Subject) -> Iterator[str]:
    order = subject.one("order", "order")
    children = [v for v in subject.all("fulfillment", "supplier_order") if v["moved"] == "0"]
    for name in AMOUNTS if children else ():
        made = sum(int(child[name]) for child in children)
        split = int(order[name]) - _of_seller(order, name)
        if made != split:
            yield f"{name} {split}, its supplier orders add up to {made}"


def _of_seller(order: Values, name: str) -> int:
    """What is the seller's alone, and in no supplier order: of the tax that on fees, of the total a gratuity and
    fees with their tax."""
    parts = {"tax": ("fee_tax",), "total": ("fee_tax", "fee_total", "gratuity")}.get(name, ())
    return sum(int(order.get(part, "0")) for part in parts)


def _canceled_differ(subject: Subject) -> Iterator[str]:
    order = subject.one("order", "order")
    canceled = int(order.get("canceled_total", "0"))
    if order.get("status") == "CANCELED" and canceled:
        canceled -= _of_seller(order, "total")
    made = sum(int(child.get("canceled_total", "0")) for child in subject.all("fulfillment", "supplier_order"))
    if made != canceled:
        yield f"canceled {canceled}, its supplier orders add up to {made}"


def _more_than_due(subject: Subject) -> Iterator[str]:
    order = subject.one("order", "order")
    due = int(order.get("total", "0")) - int(order.get("canceled_total", "0"))
    for paid in subject.all("payment", "payments"):
        kept = int(paid["charged"]) - int(paid["refunded"])
        if order.get("status") == "COMPLETED" and kept > due:
            yield f"{kept} kept of {due} due"


def _not_current(subject: Subject) -> Iterator[str]:
    for kind, name in (("supplier_order", "id"), ("shipment", "key")):
        known = {v[name]: (v["version"], v.get("status")) for v in subject.all("order", kind)}
        there = {v[name]: (v["version"], v.get("status")) for v in subject.all("fulfillment", kind)}
        for id in sorted((known.keys() | there.keys()) - _parked(subject, "fulfillment", kind, name)):
            if known.get(id) != there.get(id):
                yield f"{kind} {id}: {known.get(id)}, fulfillment says {there.get(id)}"


def _seen_differently(subject: Subject) -> Iterator[str]:
    def seen(v: Values) -> tuple[str, ...]:
        return tuple(v.get(name, "") for name in SEEN_BY)

    known = {v["id"]: v for v in subject.all("order", "supplier_order")}
    for there in subject.all("fulfillment", "supplier_order"):
        here = known.get(there["id"])
        # One that it does not know, or an older state of, is a finding of another rule.
        if here is not None and here["version"] == there["version"] and seen(here) != seen(there):
            yield f"supplier order {there['id']}: {'/'.join(seen(here))}, fulfillment says {'/'.join(seen(there))}"


def _reported_otherwise(subject: Subject) -> Iterator[str]:
    """Of one version both services have the same words."""
    for kind, name in (("supplier_order", "id"), ("shipment", "key")):
        known = {v[name]: v for v in subject.all("order", kind)}
        for there in subject.all("fulfillment", kind):
            here = known.get(there[name])
            if here is not None and here["version"] == there["version"] and here.get("said") != there.get("said"):
                yield f"{kind} {there['id']}: {', '.join(differing(here['said'], there['said']))} not as reported"


def _paid(subject: Subject) -> bool:
    return any(int(v["confirmed_total"]) or int(v["charged"]) for v in subject.all("payment", "payments"))


def _paid_for_nothing(subject: Subject) -> Iterator[str]:
    order = subject.one("order", "order")
    accepted = any(state == "ACCEPTED" for state, _ in _attempts(subject).values())
    for paid in subject.all("payment", "payments"):
        if order.get("submitted") != "1" and not accepted and int(paid["confirmed_total"]):
            yield f"{paid['confirmed_total']} confirmed of an order that was not submitted"
        elif order.get("status") == "CANCELED" and int(paid["charged"]) != int(paid["refunded"]):
            yield f"canceled, {paid['charged']} charged and {paid['refunded']} refunded"


def _paid_too_much(subject: Subject) -> Iterator[str]:
    order = subject.one("order", "order")
    for paid in subject.all("payment", "payments"):
        if paid["currency"] != order.get("currency"):
            yield f"paid in {paid['currency']}"
        most = max(int(paid["confirmed_total"]), int(paid["charged"]))
        if most > int(order.get("total", "0")):
            yield f"{most} confirmed or charged of {order.get('total', '0')}"


def _changed_or_lowered(subject: Subject) -> bool:
    return bool(subject.all("payment", "lowered")) or bool(_accepted(subject, "CHANGE"))


def _not_lowered(subject: Subject) -> Iterator[str]:
    """Payments stand for what the last change of the order has left of it."""
    changes = {"0", *_accepted(subject, "CHANGE")}
    last = max(changes, key=int)
    lowered = subject.one("payment", "lowered").get("attempt", "0")
    if lowered != last:
        yield f"payments were lowered by attempt {lowered}, the last change is {last}"
        return
    order = subject.one("order", "order")
    left = int(order.get("total", "0")) - int(order.get("canceled_total", "0"))
    due = sum(int(paid["due"]) for paid in subject.all("payment", "payments"))
    if due > left:
        yield f"payments stand for {due}, the last change has left {left}"


def _covers(subject: Subject) -> bool:
    return subject.one("order", "order").get("must_cover_total") == "1" and _settled(subject)


def _paid_too_little(subject: Subject) -> Iterator[str]:
    """Where the channel wants the total covered: what is not canceled is promised, unless the seller gave it up or the
    gateway let it go; and what is canceled as a whole was covered, by payments that are kept."""
    order = subject.one("order", "order")
    paid = subject.all("payment", "payments")
    if order["status"] == "CANCELED":
        made, known = sum(int(p["resolved"]) for p in paid), not any(int(p["unresolved"]) for p in paid)
        if known and made < int(order["total"]):
            yield f"canceled, payments were of {made} of {order['total']}"
        return
    wanted = int(order["total"]) - int(order["canceled_total"])
    promised, given_up = sum(int(p["promised"]) for p in paid), sum(int(p["given_up"]) for p in paid)
    if promised + given_up < wanted:
        yield f"{promised} promised of {wanted}"


def _has_payments(subject: Subject) -> bool:
    return bool(subject.all("payment", "payments"))


def _of_another_order(subject: Subject) -> Iterator[str]:
    order = subject.one("order", "order")
    for paid in subject.all("payment", "payments"):
        if paid.get("stated_for") != order.get("stated_for"):
            yield f"payments of {paid.get('stated_for')}, the order is {order.get('stated_for', 'unknown')}"


def _ships_while_held(subject: Subject) -> Iterator[str]:
    held = subject.one("order", "order").get("held", "0")
    for child in subject.all("fulfillment", "supplier_order"):
        if child["status"] in ("OPEN", "ACCEPTED", "FROZEN") and child["held"] != held:
            yield f"held: {held}, supplier order {child['id']} says {child['held']}"


def _alerted(subject: Subject) -> bool:
    return bool(subject.all("payment", "alert") or subject.one("order", "order").get("holding_payments", "").split())


def _not_held_for_payment(subject: Subject) -> Iterator[str]:
    order = subject.one("order", "order")
    known = {*order.get("holding_payments", "").split(), *_parked(subject, "payment", "payment_alert", "id")}
    for alert in subject.all("payment", "alert"):
        if order.get("status") == "OPEN" and alert["payment"] not in known:
            yield f"payment {alert['payment']} needs attention, and the order was never held for it"
    alerted = {alert["payment"] for alert in subject.all("payment", "alert")}
    for payment in sorted({*order.get("holding_payments", "").split()} - alerted):
        yield f"the order was held for payment {payment}, which raised no alert"


def _captured_on_shipment(subject: Subject) -> bool:
    return bool(subject.all("order", "capture") or subject.all("payment", "captured_on_shipment"))


def _captured_too_little(subject: Subject) -> Iterator[str]:
    """Once the capture of what has shipped is at its end, payments have taken it, as far as they stand for it."""
    for capture in subject.all("order", "capture"):
        for paid in subject.all("payment", "payments"):
            wanted = min(int(capture["value"]), int(paid["promised"]))
            if capture["finished"] == "1" and int(paid["taken"]) < wanted:
                yield f"{paid['taken']} taken of {wanted} that has shipped"


def _captured_too_much(subject: Subject) -> Iterator[str]:
    """Nobody is charged on shipment for more than has shipped."""
    most = subject.one("order", "capture").get("most", "0")
    for charged in subject.all("payment", "captured_on_shipment"):
        if int(charged["amount"]) > int(most):
            yield f"{charged['amount']} captured on shipment, {most} has shipped"


def _known(subject: Subject) -> bool:
    return bool(subject.one("order", "order"))


def _never_ends(subject: Subject) -> Iterator[str]:
    yield from subject.overdue()


def _rule(
    name: str, needs: str, concerns: Callable[[Subject], bool], differences: Callable[[Subject], Iterator[str]], *excuses: Kind
) -> CrossRule:
    return CrossRule(name, frozenset(needs.split()), concerns, differences, excuses)


_REPORTED = (ATTEMPT, CANCEL, HOLD, UNREPORTED)
"""Work that brings the order service news of fulfillment."""


RULES = (
    _rule("reservations_belong_to_running_attempts", "order", _has_attempts, _held_for_nothing, ATTEMPT),
    _rule("confirmed_attempts_are_accepted", "order", _has_attempts, _confirmed_unaccepted, ATTEMPT),
    _rule("accepted_attempts_are_confirmed", "order fulfillment payment", _settled, _accepted_unconfirmed, ATTEMPT, CANCEL),
    _rule("supplier_orders_partition_the_order", "order fulfillment", _settled, _not_a_partition, ATTEMPT),
    _rule("supplier_orders_add_up_to_the_total", "order fulfillment", _settled, _amounts_differ, ATTEMPT),
    _rule("canceled_amounts_add_up", "order fulfillment", _settled, _canceled_differ, *_REPORTED),
    _rule("shipped_units_agree", "order fulfillment", _settled, _units_differ, *_REPORTED),
    _rule("read_model_is_current", "order fulfillment", _settled, _not_current, *_REPORTED),
    _rule("supplier_orders_are_listed_alike", "order fulfillment", _settled, _seen_differently),
    _rule("reports_are_word_for_word", "order fulfillment", _settled, _reported_otherwise),
    _rule("payments_belong_to_submitted_orders", "order payment", _paid, _paid_for_nothing, ATTEMPT, CANCEL, PENDING),
    _rule("paid_covers_the_total", "order payment", _covers, _paid_too_little, ATTEMPT, CANCEL, PENDING),
    _rule("payments_are_lowered_by_changes", "order payment", _changed_or_lowered, _not_lowered, ATTEMPT),
    _rule("payments_name_their_order", "order payment", _has_payments, _of_another_order, ATTEMPT, DELETION),
    _rule("held_orders_do_not_ship", "order fulfillment", _settled, _ships_while_held, ATTEMPT, HOLD),
    _rule("attention_holds_the_order", "order payment", _alerted, _not_held_for_payment, ALERT),
    _rule("charged_at_most_the_total", "order payment", _paid, _paid_too_much),
    _rule("kept_at_most_what_is_due", "order payment", _paid, _more_than_due, ATTEMPT, CANCEL, PENDING, ALERT),
    _rule("shipped_is_captured", "order payment", _captured_on_shipment, _captured_too_little),
    _rule("captured_at_most_what_shipped", "order payment", _captured_on_shipment, _captured_too_much),
    _rule("work_comes_to_its_end", "order", _known, _never_ends),
)
