"""Opens a database and its transactions. One transaction per use case, no remote call inside it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite as lite
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from libs import failpoints
from libs.db import conflicts
from libs.db.direct import SENDABLE, Rows, Sender, nothing
from libs.db.engines import PING, postgresql_engine, sqlite_engines
from libs.db.failures import is_busy
from libs.db.refusals import CONNECTING, refusal, unavailable
from libs.db.statements import counted
from libs.db.tuning import DEFAULT, Tuning
from libs.db.url import parsed_url
from libs.errors import WaybillError

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Answer = Rows | CursorResult[Any]
"""Rows that have all been read, and their count."""


_UNHURRIED = sa.text("SET LOCAL idle_in_transaction_session_timeout = '1h'")


@cache
def inserting(dialect: str, table: sa.Table) -> Any:
    """An INSERT of a dialect, for statements that are made once."""
    return pg.insert(table) if dialect == "postgresql" else lite.insert(table)


class Tx:
    """A transaction. Results are buffered; nothing is awaited in it but statements."""

    def __init__(
        self, connection: AsyncConnection, dialect: str, sender: Sender, sent: Callable[[], None], alone: bool = False
    ) -> None:
        """`sent` is called for every statement; with `alone` each is a transaction of its own."""
        self._connection = connection
        self._sender = sender
        self._sent = sent
        self._alone = alone
        self.dialect = dialect
        self.callbacks: list[Callable[[], None]] = []
        self.endings: list[Callable[[], Awaitable[None]]] = []
        self.noted: dict[object, list[Any]] = {}
        """What is gathered for one statement at the end, by what it is for."""
        self.announced: set[object] = set()
        """Keys whose bells are rung after the commit."""

    async def execute(self, statement: Any, parameters: Parameters = None) -> Answer:
        """Sends one statement; a list of parameters is still one (executemany). An empty list sends nothing."""
        if parameters is not None and len(parameters) == 0 and not isinstance(parameters, Mapping):
            return nothing()
        self._sent()
        try:
            if isinstance(statement, SENDABLE):
                return await self._sender.send(self._connection, statement, parameters, self._alone)
            result: CursorResult[Any] = await self._connection.execute(statement, parameters)
        except OSError as error:
            # A TimeoutError is one too: the server says nothing, not even that the statement took too long.
            await self._connection.invalidate()
            raise unavailable() from error
        return result

    async def run_sync(self, work: Callable[[Connection], T]) -> T:
        """Runs code written for a blocking connection, such as Alembic, in this transaction."""
        return await self._connection.run_sync(work)

    def insert(self, table: sa.Table) -> Any:
        """An INSERT of this database's dialect: it knows on_conflict_do_nothing and on_conflict_do_update."""
        return inserting(self.dialect, table)

    def note(self, key: object, found: Sequence[Any], write: Callable[[Sequence[Any]], Awaitable[None]]) -> None:
        """Gathers values under a key; `write` is given all of them, once, as the last thing before the commit."""
        if not found:
            return
        gathered = self.noted.setdefault(key, [])
        if not gathered:
            self.endings.append(lambda: write(gathered))
        gathered.extend(found)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Runs `callback` once the transaction is durable."""
        self.callbacks.append(callback)

    def announce(self, key: object) -> None:
        """Rings the bells of a key once the transaction is durable: see `Database.on_commit`."""
        self.announced.add(key)


class Database:
    """One database of one service."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine, dialect: str, schema: str | None, tuning: Tuning) -> None:
        self._writer = writer
        self._tuning = tuning
        self._reader = reader
        self._snapshots = reader
        self._singles = reader
        self._lock = asyncio.Lock()
        self._owner: asyncio.Task[Any] | None = None
        self.dialect = dialect
        self.schema = schema
        self.statements = 0
        """Statements sent so far: executions given to the driver, BEGIN and COMMIT not among them."""
        self._sender = Sender(writer.dialect)
        self._bells: dict[object, list[Callable[[], None]]] = {}
        if dialect == "postgresql":
            self._snapshots = reader.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._singles = reader.execution_options(isolation_level="AUTOCOMMIT")

    @staticmethod
    async def open(url: str, schema: str | None = None, tuning: Tuning = DEFAULT) -> Database:
        """Opens `sqlite:///path` or `postgresql://...`; on PostgreSQL everything lives in `schema`.

        Raises `DatabaseUrlError`.
        """
        parsed = parsed_url(url)
        if parsed.get_backend_name() == "sqlite":
            return Database(*sqlite_engines(parsed, tuning), "sqlite", None, tuning)
        engine = postgresql_engine(parsed, schema, tuning)
        return Database(engine, engine, "postgresql", schema, tuning)

    async def close(self) -> None:
        """Closes every connection."""
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()

    async def ping(self) -> None:
        """Raises unless the database answers. A connection that it has closed in the meantime is replaced first."""
        for last in (False, True):
            try:
                async with self._singles.connect() as connection:
                    await connection.execute(PING)
                return
            except DBAPIError as error:
                if last or not error.connection_invalidated:
                    raise

    def on_commit(self, key: object, bell: Callable[[], None]) -> None:
        """Has `bell` called after every commit of this object in which the key was announced."""
        self._bells.setdefault(key, []).append(bell)

    def connections(self) -> dict[str, tuple[int, int]]:
        """By pool: connections that are checked out, and how many there may be."""
        engines = {"all": self._reader} if self._reader is self._writer else {"writer": self._writer, "reader": self._reader}
        pools = {name: cast(QueuePool, engine.pool) for name, engine in engines.items()}
        return {name: (pool.checkedout(), pool.size()) for name, pool in pools.items()}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """A writing transaction: durable when the block ends, undone when it raises or is canceled."""
        if self.dialect == "sqlite":
            async with self._alone(), self._connected(self._writer) as connection, self._run(connection) as tx:
                yield tx
        else:
            async with self._connected(self._writer) as connection, self._run(connection) as tx:
                yield tx

    @asynccontextmanager
    async def altering(self) -> AsyncIterator[Tx]:
        """A transaction that changes tables.

        SQLite alters a table by copying and dropping it, so foreign keys are checked at the end of the block only.
        """
        if self.dialect != "sqlite":
            async with self.transaction() as tx:
                yield tx
            return
        async with self._alone(), self._connected(self._writer) as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            driver.pragma("foreign_keys=OFF")
            try:
                async with self._run(connection) as tx:
                    yield tx
                    if broken := driver.pragma("foreign_key_check"):
                        raise ValueError(f"rows refer to rows that do not exist: {broken[:5]}")
            finally:
                driver.pragma("foreign_keys=ON")

    async def forget_overwritten(self) -> None:
        """Writes SQLite's file anew, so that nothing is left in it, or in its log, of what was overwritten or deleted.

        PostgreSQL keeps such rows, which nobody can select, until it vacuums.
        """
        if self.dialect != "sqlite":
            return
        async with self._alone(), self._connected(self._writer) as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            driver.pragma(f"busy_timeout={int(self._tuning.sqlite_wait * 1000)}")
            try:
                driver.execute("VACUUM", ())
                driver.pragma("wal_checkpoint(TRUNCATE)")
            finally:
                driver.pragma("busy_timeout=50")  # as it was opened with

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Holds the lock of SQLite's one writer."""
        task = asyncio.current_task()
        if task is not None and self._owner is task:
            raise RuntimeError("a transaction within a transaction would wait for itself")
        async with self._lock:
            self._owner = task
            try:
                yield
            finally:
                self._owner = None

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A connection. What the database refuses while it is held comes out as an error for callers."""
        connected = False
        try:
            async with engine.connect() as connection:
                connected = True
                yield connection
        except DBAPIError as error:
            refused = refusal(error, connected)
            if refused is None:
                raise
            raise refused from error
        except CONNECTING as error:
            if connected:
                raise
            raise (refusal(error, False) or unavailable()) from error

    @asynccontextmanager
    async def _run(self, connection: AsyncConnection) -> AsyncIterator[Tx]:
        tx = self._over(connection)
        watched = failpoints.WATCHED
        name = failpoints.place() if watched is not None else ""
        await self._begin(connection)
        try:
            yield tx
            for ending in tx.endings:
                await ending()
            if watched is not None:
                await watched.reach(f"{name}:commit:before")
            await _commit(connection)
        except BaseException:
            # A lost connection cannot roll back; what it was lost by is the better news.
            with suppress(SQLAlchemyError):
                await connection.rollback()
            raise
        conflicts.committed()
        if watched is not None:
            await watched.reach(f"{name}:commit:after")
        for callback in tx.callbacks:
            callback()
        for key in tx.announced:
            for bell in self._bells.get(key, ()):
                bell()

    def _over(self, connection: AsyncConnection, alone: bool = False) -> Tx:
        return Tx(connection, self.dialect, self._sender, self._sent, alone)

    async def _begin(self, connection: AsyncConnection) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._tuning.sqlite_wait
        while True:
            try:
                await connection.begin()
                return
            except DBAPIError as error:
                if not is_busy(error) or loop.time() > until:
                    raise
            await asyncio.sleep(random.uniform(0.005, 0.02))

    @asynccontextmanager
    async def reading(self, snapshot: bool = False) -> AsyncIterator[Tx]:
        """Only reads; with `snapshot` all statements see one moment.

        Without it each sees what is committed when it begins, and PostgreSQL needs no BEGIN and no ROLLBACK around them.
        """
        alone = self.dialect == "postgresql" and not snapshot
        async with self._connected(self._snapshots if snapshot else self._reader) as connection:
            if alone:
                yield self._over(connection, alone=True)
                return
            await connection.begin()
            try:
                yield self._over(connection)
            finally:
                with suppress(SQLAlchemyError):
                    await connection.rollback()

    @asynccontextmanager
    async def inspecting(self) -> AsyncIterator[Tx]:
        """A snapshot of a reader who takes time between two statements: whoever listens may be slower than we are.

        Not for ever, since a snapshot keeps PostgreSQL from tidying up.
        """
        async with self.reading(snapshot=True) as tx:
            if self.dialect == "postgresql":
                await tx.execute(_UNHURRIED)
            yield tx

    async def retrying(self, work: Callable[[Tx], Awaitable[T]], attempts: int = 5) -> T:
        """Runs `work` in a transaction, and again in a new one when the database undid it because of others."""
        for attempt in range(attempts):
            try:
                async with self.transaction() as tx:
                    return await work(tx)
            except WaybillError as error:
                if not error.undone:
                    raise
                if attempt == attempts - 1:
                    error.undone = False
                    raise
            await conflicts.pause(attempt)
        raise AssertionError("unreachable")

    def _sent(self) -> None:
        self.statements += 1
        counted()


async def _commit(connection: AsyncConnection) -> None:
    try:
        await connection.commit()
    except OSError as error:
        await connection.invalidate()
        raise unavailable() from error
