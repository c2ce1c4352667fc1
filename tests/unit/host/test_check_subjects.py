"""What contexts state of one order, compared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from libs.service.retries import STUCK
from services.host.check.compare import doubt_about
from services.host.check.rules import RULES, CrossRule
from services.host.check.subjects import (
    ALERT,
    ATTEMPT,
    CANCEL,
    HOLD,
    OVERDUE,
    PENDING,
    SILENT,
    UNREPORTED,
    Kind,
    Subject,
    UnorderedFactsError,
    subjects,
)
from waybill.inspection.v1 import inspection_service_pb2 as pb

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVERYTHING = (ATTEMPT, CANCEL, HOLD, UNREPORTED, ALERT, PENDING)


def fact(context: str, kind: str, key: str = "k", /, **values: str) -> pb.Fact:
    return pb.Fact(context=context, kind=kind, order_key=key, values=values)


async def stream(*facts: pb.Fact) -> AsyncIterator[pb.Fact]:
    for one in facts:
        yield one


async def test_streams_become_one_stream_of_orders() -> None:
    order = stream(fact("order", "order", "a", id="PO1"), fact("order", "units", "a"), fact("order", "order", "c", id="PO3"))
    payment = stream(fact("payment", "pending", "b"), fact("payment", "pending", "c"))
    found = [(s.key, s.name, sorted(s.facts)) async for s in subjects({"order": order, "payment": payment})]
    assert found == [
        ("a", "PO1", [("order", "order"), ("order", "units")]),
        ("b", "b", [("payment", "pending")]),
        ("c", "PO3", [("order", "order"), ("payment", "pending")]),
    ]


async def test_facts_out_of_order_are_not_compared() -> None:
    with pytest.raises(UnorderedFactsError):
        [s async for s in subjects({"order": stream(fact("order", "order", "b"), fact("order", "order", "a"))})]


@pytest.mark.parametrize(
    ("stated", "under_way"),
    [
        (fact("order", "attempt", attempt="1", state="TRYING", finished="0"), True),
        (fact("order", "attempt", attempt="1", state="ACCEPTED", finished="1"), False),
        (fact("order", "cancellation", state="DECIDED", finished="0"), True),
        (fact("fulfillment", "unreported", supplier_order="PO1-1"), True),
        (fact("payment", "pending", type="VOID"), True),
        (fact("payment", "payment_attempt", attempt="1", state="RESERVED", finished="0"), False),
    ],
)
def test_an_order_is_in_motion_while_work_is_under_way(stated: pb.Fact, under_way: bool) -> None:
    assert Subject.of("k", [stated]).under_way(EVERYTHING) is under_way


@pytest.mark.parametrize(("age", "overdue"), [(OVERDUE - timedelta(seconds=1), 0), (OVERDUE + timedelta(seconds=1), 1)])
def test_what_is_under_way_for_too_long_is_overdue(age: timedelta, overdue: int) -> None:
    since = (NOW - age).isoformat()
    subject = Subject.of("k", [fact("order", "attempt", attempt="1", state="ACCEPTED", finished="0", since=since)])
    assert len(subject.overdue(NOW)) == overdue


def test_a_silent_gateway_is_not_ours_to_end() -> None:
    since = (NOW - 10 * OVERDUE).isoformat()
    subject = Subject.of("k", [fact("payment", "pending", type="VOID", since=since)])
    assert (subject.under_way(EVERYTHING, NOW), subject.overdue(NOW)) == (True, [])


@pytest.mark.parametrize(
    ("kind", "limit"), [(ATTEMPT, OVERDUE), (CANCEL, OVERDUE), (HOLD, OVERDUE), (UNREPORTED, OVERDUE), (PENDING, SILENT)]
)
def test_work_explains_a_difference_for_a_while_only(kind: Kind, limit: timedelta) -> None:
    for age, explains in ((limit - timedelta(seconds=1), True), (limit + timedelta(seconds=1), False)):
        subject = Subject.of("k", [fact(*kind, since=(NOW - age).isoformat())])
        assert subject.under_way([kind], NOW) is explains


def test_a_silent_gateway_explains_what_is_paid_and_nothing_else() -> None:
    facts = [
        fact("order", "order", id="PO1", status="CANCELED", submitted="1", total="9", currency="USD"),
        fact("payment", "payments", confirmed_total="9", charged="9", refunded="0", currency="USD"),
        fact("payment", "pending", type="REFUND"),
        fact("order", "attempt", attempt="1", state="ACCEPTED", finished="1"),
        fact("order", "supplier_order", id="A", version="1", status="OPEN"),
    ]
    subject = Subject.of("k", facts)
    excused = {rule.name for rule in RULES if subject.under_way(rule.excuses)}
    assert broken(*facts) & excused == {"payments_belong_to_submitted_orders"}
    assert "read_model_is_current" in broken(*facts) - excused


def test_units_are_unknown_only_of_lines_whose_supplier_order_is_parked() -> None:
    facts = [
        fact("order", "attempt", attempt="1", state="ACCEPTED", finished="1"),
        fact("order", "units", l1="2/0/0", l2="2/0/0"),
        fact("fulfillment", "units", l1="2/1/0", l2="2/0/0"),
    ]
    assert "shipped_units_agree" in broken(*facts)
    assert "shipped_units_agree" in broken(*facts, parked("fulfillment", "shipment", "SH1"))
    assert "shipped_units_agree" in broken(*facts, fact("fulfillment", "unreported_lines", l2="PO1-2"))
    assert "shipped_units_agree" not in broken(*facts, fact("fulfillment", "unreported_lines", l1="PO1-1"))


def test_the_state_of_an_order_is_the_same_however_its_facts_are_read() -> None:
    facts = [fact("order", "attempt", attempt=n, finished="1") for n in "12"]
    assert Subject.of("k", facts).state == Subject.of("k", facts[::-1]).state
    assert Subject.of("k", facts).state != Subject.of("k", facts[:1]).state


def test_an_order_that_nobody_speaks_of_breaks_nothing() -> None:
    empty = Subject.of("k", [])
    assert [rule.name for rule in RULES if rule.concerns(empty) and list(rule.differences(empty))] == []


def parked(context: str, kind: str, id: str, key: str = "") -> pb.Fact:
    """A change that waits for an operator, for a long time."""
    since = (NOW - 100 * OVERDUE).isoformat()
    return fact(context, "parked", kind=kind, id=id, key=key, since=since, error="FIELD_INVALID: no")


def broken(*facts: pb.Fact) -> set[str]:
    subject = Subject.of("k", facts)
    return {rule.name for rule in RULES if rule.concerns(subject) and any(rule.differences(subject))}


def test_what_has_failed_often_enough_is_named_while_it_is_not_at_its_end() -> None:
    def attempt(number: int, failures: int, finished: int = 0) -> pb.Fact:
        values = {"attempt": number, "state": "ACCEPTED", "finished": finished, "failures": failures, "failure": "KeyError"}
        return fact("order", "attempt", **{name: str(value) for name, value in values.items()})

    subject = Subject.of("k", [attempt(1, STUCK - 1), attempt(2, STUCK), attempt(3, STUCK, 1), fact("order", "order", id="PO1")])
    assert [(f.entry, f.failures, f.failure) for f in subject.failing] == [("order/attempt of order PO1", STUCK, "KeyError")]


def test_what_is_parked_waits_and_neither_is_overdue_nor_excuses_the_order() -> None:
    subject = Subject.of("k", [parked("fulfillment", "shipment", "SH1")])
    assert [(p.entry, p.error) for p in subject.parked] == [("fulfillment/shipment/SH1", "FIELD_INVALID: no")]
    assert (subject.under_way(EVERYTHING, NOW), subject.overdue(NOW)) == (False, [])


def test_only_what_is_parked_may_be_unknown_to_the_order_service() -> None:
    facts = [
        fact("order", "order", id="PO1", status="OPEN"),
        fact("order", "attempt", attempt="1", state="ACCEPTED", finished="1"),
        fact("order", "supplier_order", id="A", version="1", status="OPEN"),
        fact("order", "supplier_order", id="B", version="2", status="ACCEPTED"),
        *[fact("fulfillment", "supplier_order", id=id, version="2", status="ACCEPTED", moved="1", held="0") for id in "AB"],
    ]
    assert "read_model_is_current" in broken(*facts)
    assert "read_model_is_current" not in broken(*facts, parked("fulfillment", "supplier_order", "A"))
    assert "read_model_is_current" in broken(*facts, parked("fulfillment", "supplier_order", "B"))


def test_an_order_is_not_held_for_a_payment_whose_alert_is_parked() -> None:
    facts = [fact("order", "order", id="PO1", status="OPEN"), fact("payment", "alert", payment="p1", finished="1")]
    assert "attention_holds_the_order" in broken(*facts)
    assert "attention_holds_the_order" in broken(*facts, parked("payment", "payment_alert", "p2"))
    assert "attention_holds_the_order" not in broken(*facts, parked("payment", "payment_alert", "p1"))


def paid(**values: str) -> list[pb.Fact]:
    """An order of 9 that is submitted, 3 of it canceled by a change, and what its payments say."""
    none = {"confirmed_total": "6", "charged": "0", "refunded": "0", "resolved": "9", "unresolved": "0", "given_up": "0"}
    order = {"status": "OPEN", "must_cover_total": "1", "submitted": "1", "total": "9", "canceled_total": "3"}
    return [
        fact("order", "order", **{**order, "id": "PO1", "currency": "USD", "status": values.pop("status", "OPEN")}),
        fact("order", "attempt", attempt="1", kind="SUBMIT", state="ACCEPTED", finished="1"),
        fact("order", "attempt", attempt="2", kind="CHANGE", state="ACCEPTED", finished="1"),
        fact("payment", "payments", **{**none, "currency": "USD", "promised": "6", "due": "6", **values}),
        fact("payment", "lowered", attempt="2"),
    ]


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        (paid(), set()),
        (paid(promised="5", due="5"), {"paid_covers_the_total"}),
        (paid(promised="2", due="2", given_up="4"), set()),
        (paid(promised="2", due="2", given_up="3"), {"paid_covers_the_total"}),
        (paid(promised="7", due="7"), {"payments_are_lowered_by_changes"}),
        (paid(status="CANCELED", promised="0", due="0"), set()),
        (paid(status="CANCELED", promised="0", due="0", resolved="8"), {"paid_covers_the_total"}),
        (paid(status="CANCELED", promised="0", due="0", resolved="0", unresolved="1"), set()),
    ],
)
def test_what_is_not_canceled_is_covered_exactly_unless_the_seller_gave_it_up(facts: list[pb.Fact], wrong: set[str]) -> None:
    assert broken(*facts) & {"paid_covers_the_total", "payments_are_lowered_by_changes"} == wrong


def test_an_order_is_held_only_for_a_payment_that_raised_an_alert() -> None:
    order = fact("order", "order", id="PO1", status="OPEN", holding_payments="p1")
    assert "attention_holds_the_order" in broken(order)
    assert "attention_holds_the_order" not in broken(order, fact("payment", "alert", payment="p1", finished="1"))


def test_what_cannot_be_compared_differs() -> None:
    def differences(_: Subject) -> Iterator[str]:
        yield f"{int('NO_SUCH_VALUE')}"

    rule = CrossRule("totals", frozenset(), lambda _: True, differences, ())
    doubt = doubt_about(Subject("k1"), [rule])
    assert doubt.differences == [
        ("totals", "cannot be compared: ValueError: invalid literal for int() with base 10: 'NO_SUCH_VALUE'")
    ]
