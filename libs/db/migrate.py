"""Brings a database to the newest version of its service's tables."""

from __future__ import annotations

import zlib
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection

from libs.db.database import Database

ENVIRONMENT = Path(__file__).parent / "migration"


def config(versions: Path) -> Config:
    """Alembic's configuration for the versions of one service."""
    made = Config()
    made.set_main_option("script_location", str(ENVIRONMENT))
    made.set_main_option("version_locations", str(versions))
    made.set_main_option("path_separator", "os")
    return made


async def upgrade(database: Database, versions: Path, schema: str | None = None) -> None:
    """Applies what is missing. Several processes may start at once: one migrates, the others wait."""

    def run(connection: Connection) -> None:
        settings = config(versions)
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")

    async with database.transaction() as tx:
        if database.dialect == "postgresql":
            lock = zlib.crc32(f"waybill:{schema}".encode())
            await tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
            if schema:
                await tx.execute(sa.text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
        await tx._connection.run_sync(run)


async def open_migrated(url: str, schema: str | None, versions: Path, pool_size: int = 10) -> Database:
    """Opens a service's database and brings it to the newest version."""
    database = await Database.open(url, schema, pool_size)
    await upgrade(database, versions, schema)
    return database
