"""SQLite in the thread of the event loop.

A thread hop per statement doubles the cost of a small one, so the connection that SQLAlchemy's aiosqlite dialect
drives is a plain sqlite3 connection behind coroutines that never suspend. The price: a commit's fsync stalls the loop
for its length; accepted for the embedded mode.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

OPENING = 30.0
"""Seconds that opening a file waits for other processes that open it too. No setting: whoever opens it is done in one."""


class InlineCursor:
    """A cursor whose coroutines finish at once."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.arraysize = cursor.arraysize

    @property
    def description(self) -> Any:
        """As of sqlite3."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """As of sqlite3."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """As of sqlite3."""
        return self._cursor.lastrowid

    async def __aenter__(self) -> InlineCursor:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._cursor.close()

    async def execute(self, statement: str, parameters: Any = ()) -> InlineCursor:
        """Runs one statement."""
        self._cursor.execute(statement, parameters or ())
        return self

    async def executemany(self, statement: str, parameters: Any) -> InlineCursor:
        """Runs one statement for many rows."""
        self._cursor.executemany(statement, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """All rows."""
        return self._cursor.fetchall()

    async def fetchone(self) -> Any:
        """The next row."""
        return self._cursor.fetchone()

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows."""
        return self._cursor.fetchmany(size or self.arraysize)

    async def close(self) -> None:
        """Ends it."""
        self._cursor.close()


class InlineConnection:
    """A connection whose coroutines finish at once. A transaction is begun by `begin` and by nothing else."""

    def __init__(self, path: str, writes: bool) -> None:
        # A writer does not wait inside sqlite3, where it would stall the loop: `Database` tries again.
        wait = 0.05 if writes else 5.0
        self._conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=wait)
        self._begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"]
        try:
            for pragma in pragmas if writes else [*pragmas, "query_only=ON"]:
                self.pragma(pragma)
        except BaseException:
            self._conn.close()
            raise

    def pragma(self, text: str) -> list[Any]:
        """Asks or sets something of the connection, at once and outside of SQLAlchemy's knowledge."""
        return self._conn.execute(f"PRAGMA {text}").fetchall()

    def execute(self, statement: str, parameters: Any) -> sqlite3.Cursor:
        """Runs one statement."""
        return self._conn.execute(statement, parameters)

    def executemany(self, statement: str, parameters: Any) -> sqlite3.Cursor:
        """Runs one statement for many rows."""
        return self._conn.executemany(statement, parameters)

    def begin(self) -> None:
        """Begins a transaction: a writer takes the file's lock now, a reader its snapshot at the first read."""
        self._conn.execute(self._begin)

    @property
    def isolation_level(self) -> str | None:
        """Always None: nothing is begun implicitly."""
        return self._conn.isolation_level

    def cursor(self) -> InlineCursor:
        """A new cursor."""
        return InlineCursor(self._conn.cursor())

    async def create_function(self, *args: Any, **kwargs: Any) -> None:
        """As of sqlite3."""
        self._conn.create_function(*args, **kwargs)

    async def commit(self) -> None:
        """Commits what is open."""
        self._conn.commit()

    async def rollback(self) -> None:
        """Rolls back what is open."""
        self._conn.rollback()

    async def close(self) -> None:
        """Closes."""
        self._conn.close()

    def stop(self) -> None:
        """Closes without ceremony."""
        self._conn.close()

    @property
    def _connection(self) -> sqlite3.Connection | None:
        """What the dialect looks at to see whether the connection lives."""
        return self._conn


def creator(path: str, writes: bool) -> Callable[..., Awaitable[InlineConnection]]:
    """Opens connections to one file, for writing or for reading only."""

    async def connect(*_: Any, **__: Any) -> InlineConnection:
        # The first switch to WAL needs the file alone, and does not wait for it by itself.
        loop = asyncio.get_running_loop()
        until = loop.time() + OPENING
        while True:
            try:
                return InlineConnection(path, writes)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or loop.time() > until:
                    raise
            await asyncio.sleep(0.02)

    return connect
