"""PostgreSQL: all tables of all contexts locked against writers, seen by one snapshot, copied out with COPY."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from services.host.backup.archive import ContextPart, TablePart, writing
from services.host.backup.sealed import Seals, seals, statement
from services.host.backup.source import NotHeld, Progress, all_of, no_tables

_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' ORDER BY relname"
_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped "
    "AND attgenerated = '' ORDER BY attnum"
)
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = $1 AND last_value IS NOT NULL"
ALEMBIC = "alembic_version"
OFTEN_FIRST = ("requests", "orders", "submissions", "inventory_records", "payment_attempts", "reservations")
"""Tables that transactions of the services tend to begin with. Locked first, they cross fewer; nothing depends on it."""


async def connect(url: str) -> Any:
    """A connection outside of any pool; nothing limits its statements but what is set here."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    settings = {"application_name": "waybill backup", "statement_timeout": "0", "lock_timeout": "0"}
    settings |= {"idle_in_transaction_session_timeout": "0"}
    return await asyncpg.connect(plain, server_settings=settings, timeout=30)


def quoted(*names: str) -> str:
    """A qualified name."""
    return ".".join('"{}"'.format(name.replace('"', '""')) for name in names)


async def tables(connection: Any, schema: str) -> list[str]:
    """The tables of a schema, Alembic's own among them."""
    return [row[0] for row in await connection.fetch(_TABLES, quoted(schema))]


async def revision(connection: Any, schema: str) -> str:
    """The revision of the tables; empty when nothing was ever migrated."""
    if ALEMBIC not in await tables(connection, schema):
        return ""
    return str(await connection.fetchval(f"SELECT version_num FROM {quoted(schema, ALEMBIC)}") or "")


def _likely(found: list[str]) -> list[str]:
    return [t for t in OFTEN_FIRST if t in found] + [t for t in found if t not in OFTEN_FIRST]


class Fence:
    """Keeps the writers of one schema out, on a connection of its own."""

    def __init__(self, connection: Any, tables: list[str]) -> None:
        self._connection = connection
        self.tables = tables

    async def hold(self, seconds: float) -> None:
        """EXCLUSIVE locks on all tables, one after the other: who only reads goes on.

        Where our order of locks crosses that of a service, one of the two has to give way: it is this one, long before
        PostgreSQL looks for deadlocks, and the next attempt begins with the table that could not be had.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        await self._connection.execute(f"BEGIN; SET LOCAL lock_timeout = {int(seconds * 500)}")
        for table in self.tables:
            try:
                await self._connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
                late = loop.time() > until
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                late = True
            if late:
                self.tables = [table, *(other for other in self.tables if other != table)]
                await self.release()
                raise NotHeld

    async def release(self) -> None:
        """Gives the locks back."""
        if self._connection.is_in_transaction():
            await self._connection.execute("ROLLBACK")

    async def close(self) -> None:
        """Ends the connection."""
        await self._connection.close()


class PostgresSource:
    """One database with the schemas of one or more contexts."""

    def __init__(self, contexts: Mapping[str, str], reader: Any) -> None:
        self._contexts = contexts
        self._reader = reader
        self._fences: list[Fence] = []

    @staticmethod
    async def open(url: str, contexts: Mapping[str, str]) -> PostgresSource:
        """`contexts` maps each context to its schema."""
        source = PostgresSource(contexts, await connect(url))
        try:
            for context, schema in contexts.items():
                found = await tables(source._reader, schema)
                if ALEMBIC not in found:
                    raise no_tables(context, f"the schema {schema}")
                source._fences.append(Fence(await connect(url), [quoted(schema, table) for table in _likely(found)]))
        except BaseException:
            await source.close()
            raise
        return source

    async def hold(self, seconds: float) -> None:
        """All schemas at once: no transaction writes in two of them."""
        await all_of(fence.hold(seconds) for fence in self._fences)

    async def look(self) -> None:
        """Takes the snapshot, and the locks that let no migration change the tables before they are copied."""
        await self._reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        names = ", ".join(table for fence in self._fences for table in fence.tables)
        await self._reader.execute(f"LOCK TABLE {names} IN ACCESS SHARE MODE")
        await self._reader.fetchval("SELECT pg_current_snapshot()::text")

    async def release(self) -> None:
        """Gives all locks back."""
        await all_of(fence.release() for fence in self._fences)

    async def copy(self, folder: Path, progress: Progress) -> dict[str, ContextPart]:
        """A file per table, in PostgreSQL's text format, compressed."""
        await self._end_fences()
        made = {}
        for context, schema in self._contexts.items():
            parts = {}
            for table in await tables(self._reader, schema):
                if table != ALEMBIC:
                    progress(context, table)
                    parts[table] = await self._copy_table(folder, context, schema, table)
            # Sequences know no snapshot: they have gone on, never back, and a gap in ids means nothing.
            sequences = dict(await self._reader.fetch(_SEQUENCES, schema))
            by = await self._seals(context, schema, parts)
            made[context] = ContextPart(
                *("postgresql", await revision(self._reader, schema), parts, sequences),
                sealing_keys=by.sealing_keys,
                lies_open=by.lies_open,
            )
        await self._reader.execute("ROLLBACK")
        return made

    async def _seals(self, context: str, schema: str, tables: Iterable[str]) -> Seals:
        sealed = statement(context, tables, quoted(schema) + ".")
        return seals([row[0] for row in await self._reader.fetch(sealed)] if sealed else ())

    async def _copy_table(self, folder: Path, context: str, schema: str, table: str) -> TablePart:
        columns = [row[0] for row in await self._reader.fetch(_COLUMNS, quoted(schema, table))]
        name = f"{context}/{table}.copy.gz"
        with writing(folder / name) as file, gzip.GzipFile("", "wb", 1, file, mtime=0) as packed:

            async def write(chunk: bytes) -> None:
                packed.write(chunk)

            status = await self._reader.copy_from_table(table, schema_name=schema, columns=columns, output=write)
        return TablePart(int(status.split()[-1]), name, tuple(columns))

    async def close(self) -> None:
        """Ends every connection."""
        await self._reader.close()
        await self._end_fences()

    async def _end_fences(self) -> None:
        for fence in self._fences:
            await fence.close()
        self._fences.clear()
