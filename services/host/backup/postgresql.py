"""PostgreSQL: all tables of all contexts locked against writers, seen by one snapshot, copied out with COPY."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

from services.host.backup.archive import ContextPart, TablePart, writing
from services.host.backup.source import NotHeld, Tell, no_tables

_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' ORDER BY relname"
)
_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped "
    "AND attgenerated = '' ORDER BY attnum"
)
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = $1 AND last_value IS NOT NULL"
ALEMBIC = "alembic_version"


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


class PostgresSource:
    """One database with the schemas of one or more contexts."""

    def __init__(self, contexts: Mapping[str, str], fence: Any, reader: Any) -> None:
        self._contexts = contexts
        self._fence = fence
        self._reader = reader
        self._locked = ""

    @staticmethod
    async def open(url: str, contexts: Mapping[str, str]) -> PostgresSource:
        """`contexts` maps each context to its schema."""
        fence = await connect(url)
        try:
            source = PostgresSource(contexts, fence, await connect(url))
        except BaseException:
            await fence.close()
            raise
        try:
            await source._find_tables()
        except BaseException:
            await source.close()
            raise
        return source

    async def _find_tables(self) -> None:
        names = []
        for context, schema in self._contexts.items():
            found = await tables(self._fence, schema)
            if ALEMBIC not in found:
                raise no_tables(context, f"the schema {schema}")
            names += [quoted(schema, name) for name in found]
        self._locked = ", ".join(names)

    async def hold(self, seconds: float) -> None:
        """SHARE locks: they wait for the transactions that have written, and let nobody write.

        The time is bounded for the statement as a whole: shorter than a deadlock takes to be noticed, so that where our
        order of locks crosses that of a service, it is never the service that is refused.
        """
        await self._fence.execute("BEGIN")
        await self._fence.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
        try:
            await self._fence.execute(f"LOCK TABLE {self._locked} IN SHARE MODE")
            await self._fence.execute("SET LOCAL statement_timeout = 0")
        except (asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
            await self._fence.execute("ROLLBACK")
            raise NotHeld from None

    async def look(self) -> None:
        """Takes the snapshot."""
        await self._reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await self._reader.fetchval("SELECT pg_current_snapshot()::text")

    async def release(self) -> None:
        """Gives the locks back."""
        if self._fence.is_in_transaction():
            await self._fence.execute("ROLLBACK")

    async def copy(self, folder: Path, tell: Tell) -> dict[str, ContextPart]:
        """A file per table, in PostgreSQL's text format, compressed."""
        made = {}
        for context, schema in self._contexts.items():
            parts = {}
            for table in await tables(self._reader, schema):
                if table != ALEMBIC:
                    tell(context, table)
                    parts[table] = await self._copy_table(folder, context, schema, table)
            # Sequences know no snapshot: they have gone on, never back, and a gap in ids means nothing.
            sequences = dict(await self._reader.fetch(_SEQUENCES, schema))
            made[context] = ContextPart("postgresql", await revision(self._reader, schema), parts, sequences)
        await self._reader.execute("ROLLBACK")
        return made

    async def _copy_table(self, folder: Path, context: str, schema: str, table: str) -> TablePart:
        columns = [row[0] for row in await self._reader.fetch(_COLUMNS, quoted(schema, table))]
        name = f"{context}/{table}.copy.gz"
        with writing(folder / name) as file, gzip.GzipFile("", "wb", 1, file, mtime=0) as packed:

            async def write(chunk: bytes) -> None:
                packed.write(chunk)

            status = await self._reader.copy_from_table(table, schema_name=schema, columns=columns, output=write)
        return TablePart(int(status.split()[-1]), name, tuple(columns))

    async def close(self) -> None:
        """Ends both connections."""
        await self._reader.close()
        await self._fence.close()
