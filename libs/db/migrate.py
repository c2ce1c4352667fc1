"""Brings a database to the newest version of its service's tables."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from libs.db.database import Database, Tx
from libs.db.failures import is_lock_timeout
from libs.db.schema_info import Known, Stored, is_newer, known, record, require, stored
from libs.db.startup import SchemaError
from libs.db.tuning import DEFAULT, Tuning
from libs.errors import WaybillError

ENVIRONMENT = Path(__file__).parent / "migration"
ATTEMPTS = 10
"""How often a migration is tried that cannot have a table for itself within the lock timeout. No setting: a job or a start
tries again, too."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of a database. Revisions are empty where there is none."""

    before: str
    after: str

    @property
    def changed(self) -> bool:
        """Whether anything was applied."""
        return self.before != self.after


def config(versions: Path) -> Config:
    """Alembic's configuration for the versions of one service."""
    made = Config()
    made.set_main_option("script_location", _escaped(ENVIRONMENT))
    made.set_main_option("version_locations", _escaped(versions))
    made.set_main_option("path_separator", "os")
    return made


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


def revisions(versions: Path, revision: str = "head") -> Known:
    """What this build knows of a service's tables, up to `revision`."""
    return known(ScriptDirectory.from_config(config(versions)), revision)


async def upgrade(database: Database, versions: Path, schema: str | None = None, revision: str = "head") -> Migrated:
    """Applies what is missing up to `revision`. Several processes may start at once: one migrates, the others wait.

    A database that a newer build migrated is left as it is. Raises `SchemaError` when this build may not work on it.
    """
    build, schema = revisions(versions, revision), schema or database.schema
    found = await current(database)
    if found.min_reader and (is_newer(build, found) or found == Stored(build.head, build.min_reader)):
        return Migrated(found.revision, found.revision)
    for attempt in range(ATTEMPTS):
        try:
            return await _upgrade(database, config(versions), build, schema)
        except WaybillError as error:
            if attempt == ATTEMPTS - 1 or not is_lock_timeout(error.__cause__):
                raise
        # While it waited for the table, everyone else waited behind it: they go first now.
        await asyncio.sleep(1.0)
    raise AssertionError("unreachable")


async def _upgrade(database: Database, settings: Config, build: Known, schema: str | None) -> Migrated:
    def run(connection: Connection) -> Migrated:
        before = stored(connection)
        if not is_newer(build, before):
            settings.attributes["connection"] = connection
            command.upgrade(settings, build.head or "head")
            record(connection, build)
        return Migrated(before.revision, stored(connection).revision)

    async with database.altering() as tx:
        if database.dialect == "postgresql":
            await _alone(tx, schema)
            if schema:
                await _ensure_schema(tx, schema)
        return await tx.run_sync(run)


async def _alone(tx: Tx, schema: str | None) -> None:
    # Another process' migration may take long, and so may ours; only a lock on a table is not waited for any longer.
    lock_timeout = (await tx.execute(sa.text("SHOW lock_timeout"))).scalar()
    await tx.execute(sa.text("SET LOCAL statement_timeout = 0"))
    await tx.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    await tx.execute(sa.text("SET LOCAL lock_timeout = 0"))
    lock = zlib.crc32(f"waybill:{schema}".encode())
    await tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
    await tx.execute(sa.text("SELECT set_config('lock_timeout', :value, true)"), {"value": lock_timeout})


async def _ensure_schema(tx: Tx, schema: str) -> None:
    # CREATE SCHEMA IF NOT EXISTS wants the right to create one even where it exists.
    known_one = sa.text("SELECT 1 FROM pg_namespace WHERE nspname = :schema")
    if (await tx.execute(known_one, {"schema": schema})).first() is None:
        await tx.execute(sa.schema.CreateSchema(schema))


async def current(database: Database) -> Stored:
    """What the database says of itself."""
    async with database.reading() as tx:
        return await tx.run_sync(stored)


async def open_migrated(url: str, schema: str | None, versions: Path, tuning: Tuning = DEFAULT) -> Database:
    """Opens a service's database at the newest version, or at a newer one that accepts this build.

    An older one is migrated, unless `tuning` says no: then it raises `SchemaError`.
    """
    database = await Database.open(url, schema, tuning)
    try:
        if tuning.migrate:
            await upgrade(database, versions)
        else:
            require(revisions(versions), await current(database))
    except SchemaError as error:
        await database.close()
        raise SchemaError(f"database of {versions.parents[1].name} {error}") from None
    except BaseException:
        await database.close()
        raise
    return database
