"""Opens a database and its transactions. One transaction per use case, no remote call inside it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite as lite
from sqlalchemy.engine import URL, CursorResult, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from libs.db.sqlite import creator

T = TypeVar("T")
_RETRYABLE = ("40001", "40P01")


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


class Tx:
    """A transaction. Results are buffered; nothing is awaited in it but statements."""

    def __init__(self, connection: AsyncConnection, database: Database) -> None:
        self._connection = connection
        self._database = database
        self.dialect = database.dialect
        self.callbacks: list[Callable[[], None]] = []

    async def execute(
        self, statement: Any, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Sends one statement; a list of parameters is still one (executemany). An empty list sends nothing."""
        self._database.statements += 1
        result: CursorResult[Any] = await self._connection.execute(statement, parameters)
        return result

    def insert(self, table: sa.Table) -> Any:
        """An INSERT of this database's dialect: it knows on_conflict_do_nothing and on_conflict_do_update."""
        return pg.insert(table) if self.dialect == "postgresql" else lite.insert(table)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Runs `callback` once the transaction is durable."""
        self.callbacks.append(callback)


class Database:
    """One database of one service."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine, dialect: str) -> None:
        self._writer = writer
        self._reader = reader
        self._lock = asyncio.Lock()
        self.dialect = dialect
        self.statements = 0
        """Statements sent so far."""

    @staticmethod
    async def open(url: str, schema: str | None = None, pool_size: int = 10) -> Database:
        """Opens `sqlite:///path` or `postgresql://...`; on PostgreSQL everything lives in `schema`."""
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _open_sqlite(parsed)
        return _open_postgresql(parsed, schema, pool_size)

    async def close(self) -> None:
        """Closes every connection."""
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """A writing transaction: durable when the block ends, undone when it raises."""
        if self.dialect == "sqlite":
            async with (
                self._lock,
                self._writer.connect() as connection,
                self._run(connection, "BEGIN IMMEDIATE") as tx,
            ):
                yield tx
        else:
            async with self._writer.connect() as connection, self._run(connection, None) as tx:
                yield tx

    @asynccontextmanager
    async def _run(self, connection: AsyncConnection, begin: str | None) -> AsyncIterator[Tx]:
        tx = Tx(connection, self)
        try:
            if begin is not None:
                await connection.exec_driver_sql(begin)
            yield tx
            await connection.commit()
        except BaseException:
            await connection.rollback()
            raise
        for callback in tx.callbacks:
            callback()

    @asynccontextmanager
    async def reading(self, snapshot: bool = False) -> AsyncIterator[Tx]:
        """A transaction that only reads; with `snapshot` all its statements see one moment."""
        async with self._reader.connect() as connection:
            if self.dialect == "sqlite":
                await connection.exec_driver_sql("BEGIN")
            elif snapshot:
                await connection.execution_options(isolation_level="REPEATABLE READ")
            try:
                yield Tx(connection, self)
            finally:
                await connection.rollback()

    async def retrying(self, work: Callable[[Tx], Awaitable[T]], attempts: int = 5) -> T:
        """Runs `work` in a transaction, again when the database asks for it."""
        for attempt in range(attempts):
            try:
                async with self.transaction() as tx:
                    return await work(tx)
            except DBAPIError as error:
                if attempt == attempts - 1 or not _retryable(error):
                    raise
            await asyncio.sleep(random.uniform(0.005, 0.02) * 2**attempt)
        raise AssertionError("unreachable")


def _retryable(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    return state in _RETRYABLE or "database is locked" in str(error.orig)


def is_unique_violation(error: BaseException, name: str = "") -> bool:
    """Whether a unique constraint or index said no; `name` is part of its name or, on SQLite, of its columns."""
    if not isinstance(error, IntegrityError):
        return False
    text = str(error.orig)
    unique = "UNIQUE constraint failed" in text or "duplicate key value" in text
    return unique and (not name or name in text)


def _open_sqlite(url: URL) -> Database:
    path = url.database or ""
    if not path or path == ":memory:":
        raise ValueError("SQLite needs a file")
    Path(path).parent.mkdir(parents=True, exist_ok=True)

    def engine(size: int) -> AsyncEngine:
        made = create_async_engine(
            f"sqlite+aiosqlite:///{path}",
            async_creator=creator(path),
            pool_size=size,
            max_overflow=0,
            pool_reset_on_return=None,
            json_serializer=_dumps,
            json_deserializer=orjson.loads,
        )
        # Explicit BEGIN statements rule here; the dialect must not emit its own.
        made.dialect.do_begin = lambda dbapi_connection: None  # type: ignore[method-assign]
        return made

    return Database(engine(1), engine(4), "sqlite")


def _open_postgresql(url: URL, schema: str | None, pool_size: int) -> Database:
    settings = {"search_path": schema} if schema else {}
    engine = create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=60,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args={"server_settings": {**settings, "jit": "off"}},
    )
    return Database(engine, engine, "postgresql")
