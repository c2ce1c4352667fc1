"""No state is a dead end: from each that an order can reach, an rpc, a loop or an answer leads on to an end."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from services.order.domain.status import OrderStatus as S
from tests.unit.walk.goods import UNIT
from tests.unit.walk.orders import GUEST, OVER, UNPAID, State, Walk

UNPACKING = frozenset({"DeleteShipment", "RemoveShipmentItems"})
ENDINGS = frozenset({"CancelOrder", "CompleteOrder"})
TIME, BY_HAND = "the time to answer", "MoveSupplierOrderUnits"
WALKED_WITH_ONE_UNIT = frozenset({"HoldOrder", "VoidPayment", "lapse", "VOID declined", "REFUND declined"})
"""Left out of the walk of two lines, which would take minutes; they do not look at lines or suppliers."""


def walked(
    quantities: tuple[int, ...],
    without: frozenset[str] = frozenset(),
    guest: str = "",
    silent: bool = False,
    outside: bool = False,
) -> tuple[list[State], list[State]]:
    """Every state that can be reached, and those of them from which no end can be."""
    walk = Walk(quantities, without, silent, outside)
    states = [walk.first(guest)]
    numbers = {states[0]: 0}
    sources: list[list[int]] = [[]]
    for at, state in enumerate(states):  # It grows on the way: breadth first.
        for _, after in walk.moves(state):
            number = numbers.get(after)
            if number is None:
                number = numbers[after] = len(states)
                states.append(after)
                sources.append([])
            sources[number].append(at)
    reaches = [state.is_end for state in states]
    todo = [at for at, end in enumerate(reaches) if end]
    while todo:
        for source in sources[todo.pop()]:
            if not reaches[source]:
                reaches[source] = True
                todo.append(source)
    return states, [state for at, state in enumerate(states) if not reaches[at]]


@pytest.mark.parametrize(
    ("quantities", "without"),
    [((1,), frozenset()), pytest.param((1, 1), WALKED_WITH_ONE_UNIT, marks=pytest.mark.long)],
    ids=["one unit", "two lines at two suppliers"],
)
def test_every_state_that_an_order_can_reach_leads_on_to_an_end(quantities: tuple[int, ...], without: frozenset[str]) -> None:
    states, stuck = walked(quantities, without)
    sys.stderr.write(f"{len(states):,} states of {quantities}: {dict(Counter(s.status.value for s in states))}\n")
    assert not stuck, f"{len(stuck)} states without an exit, such as: {stuck[0].name}"
    assert {s.status for s in states} == {S.UNSUBMITTED, S.OPEN, S.COMPLETED, S.CANCELED}


def test_without_unpacking_a_parcel_that_must_not_leave_is_a_dead_end() -> None:
    """It could not be sent, and nobody wants to end the order: the units have to come out of it."""
    kept = WALKED_WITH_ONE_UNIT | ENDINGS | {"UpdateShipment"}
    assert not [s for s in walked((1,), kept)[1] if s.goods.parcels]
    stuck = [s for s in walked((1,), kept | UNPACKING)[1] if s.status is S.OPEN]
    assert stuck
    assert all(s.goods.parcels for s in stuck)


def test_without_a_decision_to_end_it_an_order_that_nobody_ships_is_a_dead_end() -> None:
    idle = WALKED_WITH_ONE_UNIT | {"UpdateShipment", "ShipOrder"}
    assert not walked((1,), idle)[1]
    assert any(s.status is S.OPEN for s in walked((1,), idle | ENDINGS)[1])


@pytest.mark.parametrize("way", [TIME, BY_HAND])
def test_what_a_supplier_never_answers_comes_to_the_seller_by_its_time_or_by_hand(way: str) -> None:
    """Who then ships it: nobody has to end the order."""
    others = WALKED_WITH_ONE_UNIT | ENDINGS | {TIME, BY_HAND}
    states, stuck = walked((1,), others - {way}, silent=True)
    assert not stuck, f"{len(stuck)} states without an exit, such as: {stuck[0].name}"
    assert any(s.status is S.COMPLETED for s in states)


def test_without_both_what_a_supplier_never_answers_is_a_dead_end() -> None:
    stuck = [s for s in walked((1,), WALKED_WITH_ONE_UNIT | ENDINGS | {TIME, BY_HAND}, silent=True)[1] if s.status is S.OPEN]
    assert stuck
    assert {o.supplier_id for s in stuck for o in s.goods.orders} == {"s0"}


def test_what_is_paid_outside_ends_by_what_is_recorded_of_it() -> None:
    states, stuck = walked((1,), WALKED_WITH_ONE_UNIT, outside=True)
    assert not stuck, f"{len(stuck)} states without an exit, such as: {stuck[0].name}"
    assert {s.status for s in states} == {S.UNSUBMITTED, S.OPEN, S.COMPLETED, S.CANCELED}


def test_unless_it_is_recorded_that_it_was_taken_what_shipped_and_is_paid_outside_does_not_end() -> None:
    stuck = walked((1,), WALKED_WITH_ONE_UNIT | {"RecordTransaction CAPTURE"}, outside=True)[1]
    assert {(s.status, s.money.payment.uncaptured) for s in stuck} == {(S.COMPLETED, UNIT)}


def test_unless_it_is_recorded_that_it_went_back_what_was_paid_outside_for_a_canceled_order_does_not_end() -> None:
    stuck = walked((1,), WALKED_WITH_ONE_UNIT | {"RecordTransaction REFUND"}, outside=True)[1]
    assert {(s.status, s.money.payment.to_refund) for s in stuck if s.status is not S.OPEN and not s.step} == {(S.CANCELED, UNIT)}


@pytest.mark.parametrize("without", [frozenset(), frozenset({"TransferOrder"})], ids=["with a transfer", "without"])
def test_what_a_guest_begins_ends_whether_somebody_takes_it_along_or_not(without: frozenset[str]) -> None:
    states, stuck = walked((1,), WALKED_WITH_ONE_UNIT | without, GUEST)
    assert not stuck, f"{len(stuck)} states without an exit, such as: {stuck[0].name}"
    begun = {(s.guest, s.step) for s in states if s.status is S.UNSUBMITTED}
    taken = {(GUEST, UNPAID), (OVER, UNPAID), ("", UNPAID), ("", ""), ("", "submit"), ("", "refused")}
    assert {(who, step) for who in (GUEST, OVER) for step in ("", "submit", "refused")} <= begun
    assert taken <= begun if not without else not taken & begun
    assert {s.status for s in states} == {S.UNSUBMITTED, S.OPEN, S.COMPLETED, S.CANCELED}


def test_without_a_cancel_the_order_of_a_guest_whose_token_has_ended_is_a_dead_end() -> None:
    """The seller cancels it, or its time as a cart is over, which ends it as well."""
    stuck = walked((1,), WALKED_WITH_ONE_UNIT | {"CancelOrder"}, GUEST)[1]
    assert {s.guest for s in stuck} == {OVER}


def test_without_another_payment_what_a_transfer_left_unpaid_can_only_be_canceled() -> None:
    stuck = walked((1,), WALKED_WITH_ONE_UNIT | {"AddPayments", "CancelOrder"}, GUEST)[1]
    assert {(s.guest, s.step) for s in stuck} >= {(GUEST, UNPAID), ("", UNPAID)}
