"""How many calls of a user run at once beside those of others, by what calls take."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest

from libs.rpc.fairness.room import FRESH, KNOWN, LONGEST, Room

MOST = 16


class Calls:
    """A user always has more of them waiting, and each takes what a process with so many running makes of it."""

    def __init__(self, takes: Callable[[int], float], most: int = MOST) -> None:
        self.room = Room(most)
        self.takes = takes
        self.now = 0.0
        self.seen: list[int] = []
        """How many ran at once, after each."""

    def end(self, count: int, wanted: bool = True) -> list[int]:
        """So many one after the other; says how many ran at once by then."""
        self.seen = []
        for _ in range(count):
            running = self.room.calls
            seconds = self.takes(running)
            self.now += seconds / running
            self.room.saw("places", seconds, running == 1, wanted, self.now)
            self.seen.append(self.room.calls)
        return self.seen


@pytest.mark.parametrize(
    ("what", "takes", "least", "most"),
    [
        ("there is room for all", lambda running: 0.1, MOST, MOST),
        ("all wait for one thing, as in one loop", lambda running: 0.1 * running, 1, 2),
        ("two processors", lambda running: 0.1 * max(1, running / 2), 2, 3),
        ("eight connections", lambda running: 0.1 * max(1, running / 8), 5, 12),
        ("each costs the others a little", lambda running: 0.1 * (1 + running / 100), MOST, MOST),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_as_many_run_as_hardly_keep_each_other_waiting(what: str, takes: Callable[[int], float], least: int, most: int) -> None:
    calls = Calls(takes)
    calls.end(500)
    seen = calls.end(1_000)
    assert max(seen) <= most
    assert statistics.median(seen) >= least


def test_more_are_tried_ever_less_often_when_they_were_too_many() -> None:
    calls = Calls(lambda running: 0.01 * running)
    tried = [at for at in range(5_000) if calls.end(1) == [2]]
    assert calls.now > LONGEST
    assert len(tried) < 200


def test_a_process_that_becomes_busy_runs_one_call_of_each_soon() -> None:
    calls = Calls(lambda running: 0.1)
    calls.end(500)
    assert calls.room.calls == MOST
    calls.takes = lambda running: 0.1 * running
    assert 1 in calls.end(100)


def test_it_takes_no_more_than_somebody_waits_for() -> None:
    calls = Calls(lambda running: 0.1)
    assert set(calls.end(100, wanted=False)) == {1}


def test_one_may_be_the_most() -> None:
    assert set(Calls(lambda running: 0.1, most=1).end(100)) == {1}


def test_what_calls_take_is_looked_at_anew_and_a_database_that_has_grown_is_no_strain() -> None:
    calls = Calls(lambda running: 2.0)
    calls.end(500)
    calls.takes = lambda running: 2.0 + min(4.0, calls.now / 1_000)
    while calls.now < 40 * FRESH:
        calls.end(50)
    assert calls.takes(1) > 2 * 2.0
    assert max(calls.end(500)) == MOST


def test_users_who_ask_for_little_and_for_much_are_each_compared_with_themselves() -> None:
    room = Room(MOST)
    for at in range(500):
        room.saw("little", 0.01, room.calls == 1, True, at / 100)
        room.saw("much", 1.0, room.calls == 1, True, at / 100)
    assert room.calls == MOST


def test_what_is_remembered_has_an_end() -> None:
    room = Room(MOST)
    for number in range(KNOWN * 2):
        room.saw(number, 0.0, True, True, 0.0)
    assert len(room) == KNOWN
