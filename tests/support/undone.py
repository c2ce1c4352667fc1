"""A database that undoes transactions because of others, when a test wants it to."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError


class Deadlock(sqlite3.OperationalError):
    """What both databases' retries know."""

    sqlstate = "40P01"


def undone_once(monkeypatch: pytest.MonkeyPatch, store: Any, method: str) -> list[str]:
    """The first call of a store's method does its work and ends in a deadlock. Returns the calls, as they come."""
    calls: list[str] = []
    real = getattr(store, method)

    async def first_fails(*args: Any, **more: Any) -> Any:
        calls.append(method)
        answer = await real(*args, **more)
        if len(calls) == 1:
            raise DBAPIError("UPDATE", {}, Deadlock("deadlock detected"))
        return answer

    monkeypatch.setattr(store, method, first_fails)
    return calls
