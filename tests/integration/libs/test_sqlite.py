"""What only a SQLite file has: one writer per process, other processes, no thread."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import uuid
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from libs.db import Database
from tests.integration.libs.tables import ITEMS, METADATA, created


@pytest.fixture
async def db(tmp_path) -> AsyncIterator[Database]:
    async with created(f"sqlite:///{tmp_path}/deep/items.sqlite3", None, METADATA, tmp_path) as database:
        yield database


async def test_every_commit_is_flushed_to_the_log(db):
    async with db.transaction() as tx:
        found = [(await tx.execute(sa.text(f"PRAGMA {p}"))).scalar() for p in ("journal_mode", "synchronous", "foreign_keys")]

    assert found == ["wal", 2, 1]


async def test_no_thread_is_started(db):
    async with db.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), {"key": uuid.uuid4(), "name": "bolt"})
    async with db.reading() as tx:
        await tx.execute(sa.select(ITEMS))

    assert not [thread for thread in threading.enumerate() if "sqlite" in thread.name.lower()]


async def test_a_writer_waits_for_another_process_without_holding_up_the_loop(db, tmp_path):
    other = sqlite3.connect(tmp_path / "deep" / "items.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with db.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), {"key": uuid.uuid4(), "name": "bolt"})

    writing = asyncio.create_task(write())
    for _ in range(5):
        async with db.reading() as tx:
            await tx.execute(sa.select(ITEMS))
        await asyncio.sleep(0.01)
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    await writing

    async with db.reading() as tx:
        assert (await tx.execute(sa.select(ITEMS.c.name))).scalars().all() == ["bolt"]


async def test_a_transaction_within_a_transaction_is_refused_rather_than_waited_for(db):
    async with db.transaction():
        with pytest.raises(RuntimeError, match="within a transaction"):
            async with db.transaction():
                pass


async def test_a_foreign_key_must_lead_somewhere(tmp_path):
    tables = sa.MetaData()
    parent = sa.Table("parents", tables, sa.Column("id", sa.Integer, primary_key=True))
    child = sa.Table("children", tables, sa.Column("parent", sa.ForeignKey(parent.c.id)))
    async with created(f"sqlite:///{tmp_path}/family.sqlite3", None, tables, tmp_path) as db:
        with pytest.raises(sa.exc.IntegrityError):
            async with db.transaction() as tx:
                await tx.execute(tx.insert(child), {"parent": 7})
        with pytest.raises(ValueError, match="do not exist"):
            async with db.altering() as tx:
                await tx.execute(tx.insert(child), {"parent": 7})
        async with db.transaction() as tx:
            assert (await tx.execute(sa.select(child))).all() == []
            assert (await tx.execute(sa.text("PRAGMA foreign_keys"))).scalar() == 1


async def test_memory_is_no_place_for_a_database():
    with pytest.raises(ValueError, match="file"):
        await Database.open("sqlite://")
