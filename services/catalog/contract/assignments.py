"""Assignments between their messages and what they say, by field."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from services.catalog.domain.assignment import BATCH, Kind, Row


def rows_in(kind: Kind, messages: Iterable[Any]) -> list[Row]:
    """What messages say. A batch that is too long is read as far as it shows that it is."""
    names = (*kind.fields, *kind.said)
    return [{name: getattr(m, name) for name in names} for m, _ in zip(messages, range(BATCH + 1), strict=False)]


def keys_in(kind: Kind, messages: Iterable[Any]) -> list[Row]:
    """What they name."""
    return [{name: getattr(m, name) for name in kind.fields} for m, _ in zip(messages, range(BATCH + 1), strict=False)]


def row_out(message: Callable[..., Any], row: Row) -> Any:
    """The message of one."""
    return message(**row)
