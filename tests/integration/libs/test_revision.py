"""Writing the next migration of a service: one file that serves both databases."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
import sqlalchemy as sa

from libs.db import Json, Micros, UtcTime, metadata, revision
from libs.idempotency import outcomes
from libs.relay.feed import event_table
from tests.integration.libs.tables import opened


@pytest.fixture
def things(tmp_path, monkeypatch) -> sa.MetaData:
    """The tables of a service named `things`, whose folder is empty."""
    module = types.ModuleType("services.things.adapters.db.tables")
    module.METADATA = metadata()
    sa.Table(
        "things",
        module.METADATA,
        sa.Column("key", sa.Uuid(), primary_key=True),
        sa.Column("at", UtcTime(), index=True),
        sa.Column("xp", Json(), nullable=False),
        sa.Column("price", Micros()),
        sa.UniqueConstraint("price"),
    )
    outcomes.table(module.METADATA)
    event_table(module.METADATA, "thing_events")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(revision, "SERVICES", tmp_path)
    return module.METADATA


async def write(message: str) -> Path:
    await revision.write("things", message)
    return revision.SERVICES / "things" / "migrations" / "versions"


async def test_a_first_and_a_second_migration_serve_both_databases(things, databases):
    versions = await write("create things' tables")
    things.tables["things"].append_column(sa.Column("name", sa.String(10), server_default="", nullable=False))
    await write("name them")

    assert [path.name for path in sorted(versions.glob("*.py"))] == ["0001_create_things_tables.py", "0002_name_them.py"]
    text = (versions / "0001_create_things_tables.py").read_text()
    assert "libs.db.types.UtcTime()" in text
    assert "postgresql" not in text
    async with opened(*await databases("things"), versions) as db, db.transaction() as tx:
        for table in things.sorted_tables:
            assert (await tx.execute(sa.select(table))).all() == []


async def test_no_migration_is_written_where_nothing_changed(things):
    versions = await write("create")
    with pytest.raises(SystemExit, match="nothing to write"):
        await write("again")

    assert len(list(versions.glob("*.py"))) == 1
