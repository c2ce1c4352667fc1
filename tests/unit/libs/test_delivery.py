"""Who is to blame when what was sent together is rejected, and what is sent together the next time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from libs.delivery import LONGEST_WAIT, MAX_SILENCES, Head, Outcome, companies, deliver, wait
from libs.errors import Kind, WaybillError


def heads(count: int, tries: int = 0) -> list[Head]:
    return [Head("thing", uuid.uuid4(), 1, 1, tries) for _ in range(count)]


class Consumer:
    def __init__(self, bad: set[uuid.UUID] = frozenset(), silent: bool = False) -> None:
        self.bad, self.silent = bad, silent
        self.got: list[Head] = []
        self.sends = 0

    async def __call__(self, some: Sequence[Head]) -> None:
        self.sends += 1
        if self.silent:
            raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "no answer")
        if any(head.key in self.bad for head in some):
            raise WaybillError(Kind.INVALID, "MALFORMED_REQUEST", "not understood")
        self.got += some


async def delivered(some: list[Head], consumer: Consumer) -> Outcome:
    outcome = Outcome()
    for company in companies(some):
        await deliver(company, lambda head: head, consumer, lambda: True, outcome)
    return outcome


@given(st.integers(1, 60), st.sets(st.integers(0, 59)))
async def test_every_culprit_is_found_and_everything_else_delivered_once_in_order(count: int, culprits: set[int]) -> None:
    some = heads(count)
    bad = {some[i].key for i in culprits if i < count}
    consumer = Consumer(bad)
    outcome = await delivered(some, consumer)
    assert {failure.head.key for failure in outcome.failures} == bad
    assert all(failure.parks for failure in outcome.failures)
    assert consumer.got == [head for head in some if head.key not in bad]
    assert consumer.sends <= 1 + 2 * len(bad) * max(count.bit_length(), 1)


async def test_silence_blames_nobody_and_ends_the_sending_soon() -> None:
    consumer = Consumer(silent=True)
    some = heads(20, tries=9)
    outcome = await delivered(some, consumer)
    assert consumer.sends == MAX_SILENCES
    assert len(outcome.failures) == MAX_SILENCES
    assert not any(failure.parks for failure in outcome.failures)
    assert len(outcome.untried) == 20 - MAX_SILENCES


async def test_what_failed_often_is_sent_in_ever_smaller_company() -> None:
    sizes = [[len(c) for c in companies(heads(200, tries))] for tries in range(5)]
    assert sizes == [[200], [50] * 4, [10] * 20, [1] * 200, [1] * 200]
    first, *_ = companies([*heads(1, 3), *heads(2)])
    assert [head.tries for head in first] == [0, 0]


async def test_nothing_is_sent_without_time_for_an_answer() -> None:
    consumer, outcome, some = Consumer(), Outcome(), heads(3)
    await deliver(some, lambda head: head, consumer, lambda: False, outcome)
    assert (consumer.sends, outcome.untried, outcome.failures) == (0, some, [])


async def test_what_cannot_be_put_into_a_message_is_parked_without_its_content() -> None:
    async def send(some: Sequence[Head]) -> None:
        raise ValueError("a secret")

    outcome = Outcome()
    await deliver(heads(1), lambda head: head, send, lambda: True, outcome)
    assert [(f.parks, f.reason) for f in outcome.failures] == [(True, "ValueError")]


def test_the_wait_doubles_up_to_a_minute() -> None:
    assert [wait(tries) for tries in (1, 2, 3)] == [timedelta(seconds=s) for s in (1, 2, 4)]
    assert wait(7) == wait(1_000) == LONGEST_WAIT
