"""A small table and its migration, for the tests of the database layer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa

from libs.db import Database, Json, Micros, UtcTime, metadata
from libs.db.migrate import open_migrated, upgrade

METADATA = metadata()
ITEMS = sa.Table(
    "items",
    METADATA,
    sa.Column("key", sa.Uuid(), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("place", sa.String(20), nullable=False, server_default=""),
    sa.Column("amount", Micros(), nullable=True),
    sa.Column("at", UtcTime(), nullable=True),
    sa.Column("xp", Json(), nullable=True),
    sa.UniqueConstraint("name", "place"),
)
VERSION = '''"""create items"""

from alembic import op
import sqlalchemy as sa
import libs.db.types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "items",
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("place", sa.String(length=20), server_default="", nullable=False),
        sa.Column("amount", libs.db.types.Micros(), nullable=True),
        sa.Column("at", libs.db.types.UtcTime(), nullable=True),
        sa.Column("xp", libs.db.types.Json(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_items")),
        sa.UniqueConstraint("name", "place", name=op.f("uq_items_name_place")),
    )


def downgrade() -> None:
    op.drop_table("items")
'''


def write_version(folder: Path, text: str = VERSION, name: str = "0001_create_items.py") -> Path:
    """A folder of versions with one more in it."""
    versions = folder / "versions"
    versions.mkdir(exist_ok=True)
    (versions / name).write_text(text)
    return versions


@asynccontextmanager
async def opened(url: str, schema: str | None, versions: Path) -> AsyncIterator[Database]:
    """The database, migrated, open for the block."""
    database = await open_migrated(url, schema, versions)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def created(url: str, schema: str | None, tables: sa.MetaData, folder: Path) -> AsyncIterator[Database]:
    """The database with tables made straight from metadata, open for the block."""
    database = await Database.open(url, schema)
    versions = folder / "no-versions"
    versions.mkdir(exist_ok=True)
    await upgrade(database, versions)
    async with database.altering() as tx:
        await tx.run_sync(tables.create_all)
    try:
        yield database
    finally:
        await database.close()
