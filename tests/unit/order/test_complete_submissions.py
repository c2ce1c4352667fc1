"""The completer drives what is due, and a defect that one meets hides no other."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from libs.clock import ManualClock
from libs.errors import Kind, WaybillError
from services.order.application.completer import CompleteSubmissions
from services.order.application.drivers import Attempts, Cancels, Holds

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = [uuid.UUID(int=number) for number in range(1, 5)]


class Rows:
    """Transactions that find two attempts, a cancel and a hold that are due; the stores are all this object."""

    def __init__(self) -> None:
        self.kinds = {KEYS[0]: "SUBMIT", KEYS[1]: "SUBMIT"}
        attempts = [(KEYS[0], 1), (KEYS[1], 1)]
        cancels, holds = [SimpleNamespace(order_key=KEYS[2])], [SimpleNamespace(order_key=KEYS[3])]
        self.submissions = SimpleNamespace(any_due=self.due, claim_due=self.found(attempts), get=self.get)
        self.cancellations = SimpleNamespace(any_due=self.due, claim_due=self.found(cancels))
        self.holds = SimpleNamespace(any_due=self.due, claim_due=self.found(holds))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        yield self

    reading = transaction

    async def due(self, *_: Any) -> bool:
        return True

    def found(self, rows: list[Any]) -> Callable[..., Awaitable[list[Any]]]:
        async def claim(*_: Any) -> list[Any]:
            return rows

        return claim

    async def get(self, key: uuid.UUID, number: int) -> Any:
        return SimpleNamespace(order_key=key, finished=False, kind=self.kinds[key])


class Saga:
    """Drives everything but what fails."""

    def __init__(self, failures: dict[uuid.UUID, Exception]) -> None:
        self.failures = failures
        self.driven: list[uuid.UUID] = []

    async def run(self, row: Any) -> None:
        if row.order_key in self.failures:
            raise self.failures[row.order_key]
        self.driven.append(row.order_key)

    drive = run


class Noted:
    """What failed by what, and what went well."""

    def __init__(self) -> None:
        self.failures: list[tuple[Any, str]] = []
        self.fine: list[Any] = []

    async def failed(self, item: Any, why: str) -> None:
        self.failures.append((item, why))

    async def went(self, item: Any) -> None:
        self.fine.append(item)


def completer(rows: Any, submit: Any, change: Any, cancel: Any, hold: Any, tries: Sequence[Noted]) -> CompleteSubmissions:
    """One that drives everything there is."""
    kinds = {"SUBMIT": submit, "CHANGE": change}
    drivers = [Attempts(rows, kinds, tries[0]), Cancels(cancel, tries[1]), Holds(hold, tries[2])]
    return CompleteSubmissions(rows, drivers, ManualClock(NOW))


async def test_what_one_fails_by_keeps_no_other_from_being_driven() -> None:
    saga = Saga({KEYS[0]: RuntimeError("a defect"), KEYS[2]: WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "no")})
    tries = [Noted(), Noted(), Noted()]
    assert await completer(Rows(), saga, saga, saga, saga, tries).once() == 4
    assert sorted(saga.driven) == [KEYS[1], KEYS[3]]
    assert [t.failures for t in tries] == [[((KEYS[0], 1), "RuntimeError")], [(KEYS[2], "DEPENDENCY_UNAVAILABLE")], []]
    assert [t.fine for t in tries] == [[(KEYS[1], 1)], [], [KEYS[3]]]


async def test_each_attempt_is_driven_by_what_its_kind_asks_for() -> None:
    rows, submit, change, rest = Rows(), Saga({}), Saga({}), Saga({})
    rows.kinds[KEYS[1]] = "CHANGE"
    await completer(rows, submit, change, rest, rest, [Noted(), Noted(), Noted()]).once()
    assert (submit.driven, change.driven) == ([KEYS[0]], [KEYS[1]])


async def test_each_kind_of_work_is_taken_up_when_it_alone_is_due() -> None:
    async def nothing(*_: Any) -> Any:
        return []

    stores = ("submissions", "cancellations", "holds")
    for due in stores:
        rows, saga = Rows(), Saga({})
        for other in set(stores) - {due}:
            store = getattr(rows, other)
            store.any_due = store.claim_due = nothing
        assert await completer(rows, saga, saga, saga, saga, [Noted(), Noted(), Noted()]).once() == len(saga.driven) > 0
