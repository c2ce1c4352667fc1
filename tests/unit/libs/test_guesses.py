"""How much one user learns of ids that are taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from libs.auth import Principal
from libs.errors import Kind, Violations, WaybillError, exists, missing, was_deleted
from libs.rpc.fairness import guesses as module
from libs.rpc.fairness.guesses import Guesses
from tests.support.principals import buyer, seller

ANNA, BOB = buyer(), buyer(user="bob")
MAKE = "/waybill.test.v1.ThingService/CreateThing"


class Time:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def guesses(time: Time) -> Guesses:
    return Guesses(10, time)


def refusal(guesses: Guesses, caller: Principal, method: str = MAKE) -> timedelta:
    with pytest.raises(WaybillError) as refused:
        guesses.require(method, caller)
    assert (refused.value.kind, refused.value.reason) == (Kind.EXHAUSTED, "TOO_MANY_TAKEN")
    assert refused.value.retry_after is not None
    return refused.value.retry_after


def batch(taken: int) -> WaybillError:
    found = Violations()
    found.add("things[0].name", "FIELD_REQUIRED", "is required")
    for i in range(taken):
        found.add(f"things[{i}].id", "RESOURCE_EXISTS", "the id is taken")
    return found.error()


@pytest.mark.parametrize("error", [exists("thing", "x"), was_deleted("thing", "x"), batch(1)])
def test_a_user_is_answered_so_often_and_then_refused_before_anything_is_looked_at(
    guesses: Guesses, time: Time, error: WaybillError
) -> None:
    for _ in range(10):
        guesses.require(MAKE, ANNA)
        guesses.note(MAKE, ANNA, error)
    assert refusal(guesses, ANNA) == timedelta(minutes=6)
    guesses.require(MAKE, BOB)
    # What never answers so, such as a read, goes on.
    guesses.require("/waybill.test.v1.ThingService/GetThing", ANNA)
    time.seconds += 360.0
    guesses.require(MAKE, ANNA)


def test_every_taken_id_of_a_batch_counts_and_a_large_one_is_paid_for(guesses: Guesses, time: Time) -> None:
    guesses.note(MAKE, ANNA, batch(100))
    assert refusal(guesses, ANNA) == timedelta(minutes=6 * 91)
    time.seconds += 9 * 3_600.0
    assert refusal(guesses, ANNA) == timedelta(minutes=6)


def test_other_refusals_count_for_nothing(guesses: Guesses) -> None:
    for _ in range(100):
        guesses.note(MAKE, ANNA, missing("thing", "x"))
    guesses.require(MAKE, ANNA)
    assert len(guesses) == 0


def test_the_sellers_users_and_strangers_are_not_counted(guesses: Guesses) -> None:
    for _ in range(100):
        guesses.note(MAKE, seller(), exists("thing", "x"))
        guesses.note(MAKE, None, exists("thing", "x"))
    guesses.require(MAKE, seller())
    guesses.require(MAKE, None)
    assert len(guesses) == 0


def test_what_is_remembered_is_bounded(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "USERS", 3)
    guesses = Guesses(10, time)
    for name in ("a", "b", "c", "d"):
        guesses.note(MAKE, buyer(user=name), batch(10))
    assert len(guesses) == 3
    guesses.require(MAKE, buyer(user="a"))
    refusal(guesses, buyer(user="d"))
    time.seconds += 3_600.0
    guesses.require(MAKE, buyer(user="d"))
    assert len(guesses) == 2
