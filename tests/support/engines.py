"""PostgreSQL connections that outlive the database object of a test: to connect costs a test more than its statements do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.engine import URL, Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from libs.db import database, engines
from libs.db.tuning import Tuning
from tests.support.event_loops import KeptLoop

_Place = tuple[asyncio.AbstractEventLoop, URL, str | None, Tuning]
_pools: defaultdict[_Place, list[Engine]] = defaultdict(list)
_connections: defaultdict[tuple[asyncio.AbstractEventLoop, str], list[asyncpg.Connection]] = defaultdict(list)
_lasting: set[str | None] = set()
_make = engines.postgresql_engine


class KeptEngine(AsyncEngine):
    """An engine whose connections wait for the next one when it is disposed of. None holds anything of its user: each was given
    back to the pool, and so rolled back. With one that is still in use all are ended."""

    __slots__ = ("_disposed", "_place")

    def __init__(self, sync_engine: Engine, place: _Place) -> None:
        super().__init__(sync_engine)
        self._place = place
        self._disposed = False

    async def dispose(self, close: bool = True) -> None:
        """Once; afterwards the connections are somebody else's."""
        if self._disposed:
            return
        self._disposed = True
        pool: Any = self.sync_engine.pool
        if self._place[2] in _lasting and self._place[0] is asyncio.get_running_loop() and pool.checkedout() == 0:
            _pools[self._place].append(self.sync_engine)
        else:
            await super().dispose(close)


def lasts(schema: str) -> None:
    """The schema serves many tests, one after the other, so connections that see it may."""
    _lasting.add(schema)


async def forget(schema: str) -> None:
    """The schema serves no other test."""
    _lasting.discard(schema)
    for place in [place for place in _pools if place[2] == schema]:
        for engine in _pools.pop(place):
            await AsyncEngine(engine).dispose(close=place[0] is asyncio.get_running_loop())


@asynccontextmanager
async def connected(server: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection for what tests do between each other."""
    loop = asyncio.get_running_loop()
    free = _connections[loop, server] if isinstance(loop, KeptLoop) else []
    # A transaction that a test left open must fail that test, not hang the run.
    connection = free.pop() if free else await asyncpg.connect(server, server_settings={"lock_timeout": "20s"})
    try:
        yield connection
    except BaseException:
        await connection.close()
        raise
    if isinstance(loop, KeptLoop):
        free.append(connection)
    else:
        await connection.close()


def begin() -> None:
    """From here on every database that this process opens takes part."""
    database.postgresql_engine = _engine  # type: ignore[attr-defined]


def end() -> None:
    """Closes what waits. No loop runs by now."""
    for place in list(_pools):
        for engine in _pools.pop(place):
            place[0].run_until_complete(AsyncEngine(engine).dispose())
    for key in list(_connections):
        for connection in _connections.pop(key):
            key[0].run_until_complete(connection.close())


def _engine(url: URL, schema: str | None, tuning: Tuning) -> AsyncEngine:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, KeptLoop):
        return _make(url, schema, tuning)
    place = (loop, url, schema, tuning)
    return KeptEngine(_pools[place].pop() if _pools[place] else _make(url, schema, tuning).sync_engine, place)
