"""Restores contexts into the schemas of one PostgreSQL database, in one transaction."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from libs.db import Database, Tuning
from libs.db.migrate import upgrade
from services.host.backup.archive import ContextPart, Manifest
from services.host.backup.postgresql import ALEMBIC, connect, quoted, revision, tables
from services.host.backup.sealed import drop_statements
from services.host.backup.source import Progress
from services.host.backup.target import (
    feed_statements,
    not_empty,
    owned,
    require_known,
    somebodys,
    versions,
    wrong_revision,
    wrong_rows,
)

_REFERENCES = (
    "SELECT c.relname, f.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
    "JOIN pg_class f ON f.oid = k.confrelid WHERE k.contype = 'f' AND k.connamespace = to_regnamespace($1)"
)
_CHUNK = 1 << 16


class PostgresTarget:
    """One database."""

    def __init__(self, url: str, contexts: Mapping[str, str], connection: Any) -> None:
        self._url = url
        self._contexts = contexts
        self._connection = connection

    @staticmethod
    async def open(url: str, contexts: Mapping[str, str]) -> PostgresTarget:
        """`contexts` maps each context to its schema."""
        return PostgresTarget(url, contexts, await connect(url))

    async def check(self) -> None:
        """No schema, or tables without rows."""
        for context, schema in self._contexts.items():
            data = owned(context)
            for table in await tables(self._connection, schema):
                if table not in data:
                    continue
                rows = f"SELECT 1 FROM {quoted(schema, table)} WHERE {somebodys(context, table)} LIMIT 1"
                if await self._connection.fetchval(rows):
                    raise not_empty(context, table)

    async def load(self, folder: Path, manifest: Manifest, progress: Progress, new_keys: bool = False) -> None:
        """Migrates to the archive's revisions and copies the tables in."""
        for context, schema in self._contexts.items():
            wanted = manifest.contexts[context].revision
            require_known(context, wanted)
            progress(context, f"migrating to {wanted}")
            await self._migrate(context, schema, wanted)
        await self._connection.execute("BEGIN")
        # Until here a service may have written: now nobody can.
        await self._lock()
        await self.check()
        for context, schema in self._contexts.items():
            await self._load(folder, context, schema, manifest.contexts[context], progress)
            for statement in drop_statements(context, quoted(schema) + ".") if new_keys else ():
                await self._connection.execute(statement)

    async def _migrate(self, context: str, schema: str, wanted: str) -> None:
        database = await Database.open(self._url, schema, Tuning(pool_size=1))
        try:
            if not await revision(self._connection, schema):
                await upgrade(database, versions(context), revision=wanted)
        finally:
            await database.close()
        if (found := await revision(self._connection, schema)) != wanted:
            raise wrong_revision(context, found, wanted)

    async def _lock(self) -> None:
        names = [quoted(schema, table) for schema in self._contexts.values() for table in await tables(self._connection, schema)]
        await self._connection.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")

    async def _load(self, folder: Path, context: str, schema: str, part: ContextPart, progress: Progress) -> None:
        there = [table for table in await tables(self._connection, schema) if table != ALEMBIC]
        await self._connection.execute(f"TRUNCATE {', '.join(quoted(schema, table) for table in there)}")
        for table in await self._referenced_first(schema, part.tables):
            progress(context, table)
            archived = part.tables[table]
            status = await self._connection.copy_to_table(
                table, schema_name=schema, columns=list(archived.columns), source=_chunks(folder / archived.file)
            )
            if (rows := int(status.split()[-1])) != archived.rows:
                raise wrong_rows(context, table, rows, archived.rows)
        for name, value in part.sequences.items():
            await self._connection.execute("SELECT setval($1::text::regclass, $2)", quoted(schema, name), value)
        for statement in feed_statements(context, quoted(schema) + "."):
            await self._connection.execute(statement)

    async def _referenced_first(self, schema: str, found: Iterable[str]) -> list[str]:
        order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(found, ()))
        for table, referenced in await self._connection.fetch(_REFERENCES, quoted(schema)):
            if table != referenced:
                order.add(table, referenced)
        return [*order.static_order()]

    async def commit(self) -> None:
        """All contexts of this database at once."""
        await self._connection.execute("COMMIT")
        await self._connection.execute("ANALYZE")

    async def close(self) -> None:
        """Ends the connection, and with it what was not committed."""
        await self._connection.close()


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with gzip.open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
