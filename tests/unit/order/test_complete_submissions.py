"""The completer drives what is due, and a defect that one meets hides no other."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from libs.clock import ManualClock
from libs.errors import Kind, WaybillError
from services.order.application.completer import CompleteSubmissions, Retrying

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = [uuid.UUID(int=number) for number in range(1, 5)]


class Rows:
    """Two attempts, a cancel and a hold that are due, and the transactions that find them."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield

    reading = transaction

    async def anything_due(self, *_: Any) -> bool:
        return True

    any_due = anything_due

    async def claim_due_attempts(self, *_: Any) -> list[Any]:
        return [(KEYS[0], 1), (KEYS[1], 1)]

    async def claim_due_cancellations(self, *_: Any) -> list[Any]:
        return [SimpleNamespace(order_key=KEYS[2])]

    async def claim_due_holds(self, *_: Any) -> list[Any]:
        return [SimpleNamespace(order_key=KEYS[3])]

    async def get(self, _: Any, key: uuid.UUID, number: int) -> Any:
        return SimpleNamespace(order_key=key, finished=False, kind="SUBMIT")


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


async def test_what_one_fails_by_keeps_no_other_from_being_driven() -> None:
    rows, clock = Rows(), ManualClock(NOW)
    saga = Saga({KEYS[0]: RuntimeError("a defect"), KEYS[2]: WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "no")})
    attempts: Any = SimpleNamespace(
        anything_due=rows.anything_due,
        claim_due=rows.claim_due_attempts,
        claim_due_cancellations=rows.claim_due_cancellations,
        get=rows.get,
    )
    holds: Any = SimpleNamespace(any_due=rows.any_due, claim_due=rows.claim_due_holds)
    database: Any = rows
    driver: Any = saga
    tries = [Noted(), Noted(), Noted()]
    completer = CompleteSubmissions(database, attempts, holds, driver, driver, driver, driver, clock, Retrying(*tries))
    assert await completer.once() == 4
    assert sorted(saga.driven) == [KEYS[1], KEYS[3]]
    assert [t.failures for t in tries] == [[((KEYS[0], 1), "RuntimeError")], [(KEYS[2], "DEPENDENCY_UNAVAILABLE")], []]
    assert [t.fine for t in tries] == [[(KEYS[1], 1)], [], [KEYS[3]]]


async def test_each_attempt_is_driven_by_what_its_kind_asks_for() -> None:
    rows, submits, others = Rows(), Saga({}), Saga({})
    kinds = {KEYS[0]: "SUBMIT", KEYS[1]: "CHANGE"}

    async def get(_: Any, key: uuid.UUID, number: int) -> Any:
        return SimpleNamespace(order_key=key, finished=False, kind=kinds[key])

    attempts: Any = SimpleNamespace(
        anything_due=rows.anything_due,
        claim_due=rows.claim_due_attempts,
        claim_due_cancellations=rows.claim_due_cancellations,
        get=get,
    )
    holds: Any = SimpleNamespace(any_due=rows.any_due, claim_due=rows.claim_due_holds)
    database: Any = rows
    submit: Any = submits
    change: Any = Saga({})
    rest: Any = others
    none = Retrying(Noted(), Noted(), Noted())
    await CompleteSubmissions(database, attempts, holds, submit, rest, change, rest, ManualClock(NOW), none).once()
    assert (submits.driven, change.driven) == ([KEYS[0]], [KEYS[1]])
