"""Counts statements. A statement is one execution sent to the driver; BEGIN, COMMIT and ROLLBACK are none.

Tests assert on the counts: no use case sends more statements for more lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Count:
    """Statements sent so far within a `counting` block."""

    statements: int = 0


_counts: ContextVar[tuple[Count, ...]] = ContextVar("statement_counts", default=())


@contextmanager
def counting() -> Iterator[Count]:
    """Counts the statements that this task, and tasks begun in the block, send to any database."""
    count = Count()
    token = _counts.set((*_counts.get(), count))
    try:
        yield count
    finally:
        _counts.reset(token)


def counted() -> None:
    """One statement is being sent."""
    for count in _counts.get():
        count.statements += 1
