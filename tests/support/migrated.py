"""Databases of single services, at the newest version: migrated once, then empty for every test that wants one."""

from __future__ import annotations

import shutil
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from libs.db.migrate import open_migrated
from services.host.process.migrate import versions_of
from tests.support.engines import connected, forget, lasts

_KEPT = ("alembic_version", "schema_info")
_SHAPE = """
SELECT md5(coalesce(string_agg(part, E'\\n' ORDER BY part COLLATE "C"), '')) FROM (
  SELECT concat_ws(' ', c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) AS part
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = $1::text::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT concat_ws(' ', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = $1::text::regnamespace
) parts
"""
"""Tables, indexes, columns and constraints of a schema in one word: a schema that a test has altered is not used again."""

_GROWN = """
SELECT relname FROM pg_class
  WHERE relnamespace = $1::text::regnamespace AND relname = ANY($2::text[]) AND (reltuples >= 0 OR pg_relation_size(oid) > 65536)
"""
_RESTARTED = """
SELECT setval(c.oid, s.seqstart, false) FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
  WHERE c.relnamespace = $1::text::regnamespace
"""


@dataclass(frozen=True, slots=True)
class _Schema:
    """A migrated schema of this process, and the rows that its migrations put in, as JSON by table."""

    name: str
    shape: str
    rows: dict[str, list[str]]


_free: defaultdict[tuple[str, str], list[_Schema]] = defaultdict(list)
"""By server and context."""


async def migrated_file(run: Path, context: str, target: Path) -> None:
    """SQLite: `target` becomes a copy of what this process migrated first."""
    original = run / f"{context}-{_PROCESS}.sqlite3"
    if not original.exists():
        database = await open_migrated(f"sqlite:///{original}", None, versions_of(context))
        await database.close()
    # What a closed database leaves beside its file belongs to it.
    for part in original.parent.glob(f"{original.name}*"):
        shutil.copyfile(part, target.with_name(target.name + part.name.removeprefix(original.name)))


@asynccontextmanager
async def migrated_schema(server: str, context: str) -> AsyncIterator[str]:
    """PostgreSQL: the name of a migrated schema that nobody else uses during the block."""
    free = _free[server, context]
    schema = free.pop() if free else await _made(server, context)
    try:
        yield schema.name
    finally:
        if await _emptied(server, schema):
            free.append(schema)


async def drop_migrated() -> None:
    """Removes the schemas that this process made and that are free, for a server that outlives the run."""
    for (server, _), schemas in _free.items():
        async with connected(server) as connection:
            while schemas:
                await connection.execute(f'DROP SCHEMA "{schemas.pop().name}" CASCADE')


_PROCESS = uuid.uuid4().hex[:8]


async def _made(server: str, context: str) -> _Schema:
    name = f"t{uuid.uuid4().hex[:12]}_{context}"
    lasts(name)
    database = await open_migrated(server, name, versions_of(context))
    await database.close()
    async with connected(server) as connection:
        rows = {
            table: [row[0] for row in await connection.fetch(f'SELECT row_to_json(t)::text FROM "{name}"."{table}" t')]
            for table in await _filled(connection, name)
        }
        return _Schema(name, await connection.fetchval(_SHAPE, name), rows)


async def _emptied(server: str, schema: _Schema) -> bool:
    """Whether it is as it was when it was made."""
    async with connected(server) as connection:
        if await connection.fetchval(_SHAPE, schema.name) != schema.shape:
            await forget(schema.name)
            await connection.execute(f'DROP SCHEMA "{schema.name}" CASCADE')
            return False
        await _clear(connection, schema.name, await _filled(connection, schema.name))
        for table, rows in schema.rows.items():
            into = f'"{schema.name}"."{table}"'
            await connection.executemany(
                f"INSERT INTO {into} SELECT * FROM json_populate_record(null::{into}, $1)", [(r,) for r in rows]
            )
    return True


async def _clear(connection: asyncpg.Connection, schema: str, filled: list[str]) -> None:
    """Deletes what is small. To truncate a table gives it and its indexes new files and has every connection plan its statements
    anew, so that is left to tables that have grown, or that the server has counted by now: of one that it knows as empty
    it plans to read all rows, however many come to be there."""
    if not filled:
        return
    grown = {row[0] for row in await connection.fetch(_GROWN, schema, filled)}
    if grown:
        names = ", ".join(f'"{schema}"."{table}"' for table in sorted(grown))
        await connection.execute(f"TRUNCATE {names} CASCADE")
    # One statement, so that references are looked at when all rows are gone.
    parts = [f'd{i} AS (DELETE FROM "{schema}"."{table}")' for i, table in enumerate(filled) if table not in grown]
    if parts:
        await connection.execute(f"WITH {', '.join(parts)} SELECT 1")
    await connection.execute(_RESTARTED, schema)


async def _filled(connection: asyncpg.Connection, schema: str) -> list[str]:
    """Tables with rows."""
    tables = [
        row[0]
        for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1", schema)
        if row[0] not in _KEPT
    ]
    if not tables:
        return []
    asked = " UNION ALL ".join(f'SELECT \'{table}\' WHERE EXISTS (SELECT 1 FROM "{schema}"."{table}")' for table in tables)
    return [row[0] for row in await connection.fetch(asked)]
