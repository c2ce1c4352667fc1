"""Brings a database to the newest version of its service's tables."""

from __future__ import annotations

import zlib
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection

from libs.db.database import Database, Tx

ENVIRONMENT = Path(__file__).parent / "migration"


def config(versions: Path) -> Config:
    """Alembic's configuration for the versions of one service."""
    made = Config()
    made.set_main_option("script_location", _escaped(ENVIRONMENT))
    made.set_main_option("version_locations", _escaped(versions))
    made.set_main_option("path_separator", "os")
    return made


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


async def upgrade(
    database: Database, versions: Path, schema: str | None = None, revision: str = "head"
) -> None:
    """Applies what is missing up to `revision`. Several processes may start at once: one migrates, the others wait."""
    schema = schema or database.schema

    def run(connection: Connection) -> None:
        settings = config(versions)
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)

    async with database.altering() as tx:
        if database.dialect == "postgresql":
            lock = zlib.crc32(f"waybill:{schema}".encode())
            await tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
            if schema:
                await _ensure_schema(tx, schema)
        await tx.run_sync(run)


async def _ensure_schema(tx: Tx, schema: str) -> None:
    # CREATE SCHEMA IF NOT EXISTS wants the right to create one even where it exists.
    known = sa.text("SELECT 1 FROM pg_namespace WHERE nspname = :schema")
    if (await tx.execute(known, {"schema": schema})).first() is None:
        await tx.execute(sa.schema.CreateSchema(schema))


async def open_migrated(url: str, schema: str | None, versions: Path, pool_size: int = 10) -> Database:
    """Opens a service's database and brings it to the newest version."""
    database = await Database.open(url, schema, pool_size)
    try:
        await upgrade(database, versions)
    except BaseException:
        await database.close()
        raise
    return database
