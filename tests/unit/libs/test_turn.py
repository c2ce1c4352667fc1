"""A turn of a relay: no send begins that could outlast what was taken, and what was not taken is given back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from libs.clock import ManualClock
from libs.relay.delivery import Head, Outcome
from libs.relay.limits import DEFAULT
from libs.relay.turn import Relay, Turn

NOW = datetime(2030, 5, 1, tzinfo=UTC)


def head(tries: int = 0) -> Head:
    return Head("thing", uuid.uuid4(), 1, 1, tries)


async def given_back(turn: Turn) -> list[tuple[Outcome, datetime]]:
    """What is given back at the end of a turn, and when."""
    given: list[tuple[Outcome, datetime]] = []

    async def give_back(outcome: Outcome, now: datetime) -> None:
        given.append((outcome, now))

    await turn.end(give_back)
    return given


async def sent_after(waiting: timedelta) -> tuple[list[Head], list[Head]]:
    """What is sent, and what is given back untried, of a change whose turn comes after this time."""
    clock, got, some = ManualClock(NOW), [], head()
    turn = Relay("order", "relay", clock).turn()
    clock.advance(waiting)

    async def send(items: Sequence[Head]) -> None:
        got.extend(items)

    await turn.deliver([some], {some.key: some}, send)
    given = await given_back(turn)
    return got, [untried for outcome, _ in given for untried in outcome.untried]


async def test_no_send_begins_that_could_outlast_what_was_taken() -> None:
    last = DEFAULT.lease - DEFAULT.timeout
    got, untried = await sent_after(last - timedelta(seconds=1))
    assert (len(got), untried) == (1, [])
    got, untried = await sent_after(last)
    assert (got, len(untried)) == ([], 1)


async def test_what_failed_is_given_back_at_the_time_of_the_end() -> None:
    clock = ManualClock(NOW)
    turn = Relay("order", "relay", clock).turn()
    turn.unknown(head(), "ORDER_UNKNOWN")
    clock.advance(timedelta(seconds=3))
    ((outcome, now),) = await given_back(turn)
    assert [failure.reason for failure in outcome.failures] == ["ORDER_UNKNOWN"]
    assert now == NOW + timedelta(seconds=3)


LAST = DEFAULT.relay_unknown_tries - 1


@pytest.mark.parametrize(("tries", "parks"), [(0, False), (LAST - 1, False), (LAST, True)])
async def test_what_a_consumer_does_not_know_is_parked_after_so_many_tries(tries: int, parks: bool) -> None:
    turn = Relay("order", "relay", ManualClock(NOW)).turn()
    turn.unknown(head(tries), "ORDER_UNKNOWN")
    ((outcome, _),) = await given_back(turn)
    assert [failure.parks for failure in outcome.failures] == [parks]
