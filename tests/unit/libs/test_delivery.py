"""Who is to blame when what was sent together is rejected, and what is sent together the next time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from libs.errors import Kind, WaybillError
from libs.relay.delivery import Consumer, Failure, Head, Outcome, companies, defects, deliver, wait
from libs.relay.limits import DEFAULT, RelayLimits

DEFECT_TRIES, MAX_SILENCES = DEFAULT.relay_defect_tries, DEFAULT.relay_silences
LONGEST_WAIT, TAKES_FOR = DEFAULT.longest_wait, DEFAULT.works_for


def heads(count: int, tries: int = 0) -> list[Head]:
    return [Head("thing", uuid.uuid4(), 1, 1, tries) for _ in range(count)]


class Recipient:
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


async def delivered(some: list[Head], consumer: Recipient) -> Outcome:
    outcome = Outcome()
    for company in companies(some):
        await deliver(company, lambda head: head, consumer, lambda: True, outcome)
    return outcome


@given(st.integers(1, 60), st.sets(st.integers(0, 59)))
async def test_every_culprit_is_found_and_everything_else_delivered_once_in_order(count: int, culprits: set[int]) -> None:
    some = heads(count)
    bad = {some[i].key for i in culprits if i < count}
    consumer = Recipient(bad)
    outcome = await delivered(some, consumer)
    assert {failure.head.key for failure in outcome.failures} == bad
    assert all(failure.parks for failure in outcome.failures)
    assert consumer.got == [head for head in some if head.key not in bad]
    assert consumer.sends <= 1 + 2 * len(bad) * max(count.bit_length(), 1)


async def test_silence_blames_nobody_and_ends_the_sending_soon() -> None:
    consumer = Recipient(silent=True)
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
    consumer, outcome, some = Recipient(), Outcome(), heads(3)
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


class Stage:
    """A consumer that fails by a defect at some changes, or at everything, and what a relay makes of it."""

    def __init__(self, bad: set[uuid.UUID], everything: bool = False) -> None:
        self.bad, self.everything = bad, everything
        self.seconds = 0.0
        self.consumer = Consumer(lambda: self.seconds)

    async def send(self, some: Sequence[Head]) -> None:
        if self.everything or any(head.key in self.bad for head in some):
            raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "order did not answer", defect=True)

    async def minutes(self, count: int, left: list[Head], fresh: int = 1) -> tuple[list[Failure], list[Head]]:
        """Sends what is left once a minute, as an outbox would, with so many new changes: what is parked, and left."""
        parked: list[Failure] = []
        for _ in range(count):
            outcome = Outcome(self.consumer)
            for company in companies([*left, *heads(fresh)]):
                await deliver(company, lambda head: head, self.send, lambda: True, outcome)
            parked += [f for f in outcome.failures if f.parks]
            failed = [f for f in outcome.failures if not f.parks]
            left = [replace(f.head, tries=f.head.tries + 1, defects=defects(f.reason)) for f in failed] + outcome.untried
            self.seconds += 60
        return parked, left


async def test_what_the_consumer_fails_at_alone_again_and_again_is_parked_and_nothing_else() -> None:
    some = heads(30)
    stage = Stage({some[7].key, some[20].key})
    parked, left = await stage.minutes(30, some)
    assert {f.head.key for f in parked} == stage.bad
    assert all(f.reason.startswith(f"INTERNAL x{DEFECT_TRIES}: ") for f in parked)
    assert left == []


async def test_a_consumer_that_fails_at_everything_has_nothing_parked() -> None:
    stage = Stage(set())
    await stage.minutes(5, [])
    stage.everything = True
    parked, left = await stage.minutes(60, heads(3), fresh=0)
    assert (parked, max(head.defects for head in left) > DEFECT_TRIES) == ([], True)
    stage.everything, stage.bad = False, {left[0].key}
    parked, left = await stage.minutes(70, left)
    assert ({f.head.key for f in parked}, left) == (stage.bad, [])


async def test_defects_count_only_alone_and_in_a_row() -> None:
    some = heads(2)
    stage = Stage({some[0].key})
    stage.consumer.took()
    outcome = Outcome(stage.consumer)
    await deliver([replace(h, defects=DEFECT_TRIES) for h in some], lambda head: head, stage.send, lambda: True, outcome)
    assert [(f.parks, defects(f.reason)) for f in outcome.failures] == [(False, 0)] * 2
    assert [defects(text) for text in (None, "", "DEPENDENCY_UNAVAILABLE", "INTERNAL", "INTERNAL x12: it")] == [0, 0, 0, 0, 12]


def test_a_consumer_works_for_a_while_after_it_took_something() -> None:
    now = 0.0
    consumer = Consumer(lambda: now)
    assert not consumer.works
    consumer.took()
    now = TAKES_FOR
    assert consumer.works
    now += 1
    assert not consumer.works


@given(st.floats(1, 120), st.integers(10, 1_000))
def test_a_consumer_works_for_longer_than_a_wait_and_shorter_than_all_tries_of_a_defect(longest: float, most: int) -> None:
    limits = RelayLimits(relay_longest_wait=longest, relay_defect_tries=most)
    streak = sum((wait(tries, limits.longest_wait) for tries in range(1, most)), timedelta())
    assert limits.longest_wait < timedelta(seconds=limits.works_for) < streak
