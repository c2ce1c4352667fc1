"""Migrations: applied once, wherever they start from and however many processes start at once."""

from __future__ import annotations

import asyncio
import importlib
import re
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.engine import make_url

from libs.db import Database, Json, Micros, UtcTime, migrate
from libs.db.migrate import open_migrated
from libs.db.schema_info import is_of_a_service
from services.host.contexts import CONTEXTS
from tests.integration.libs.tables import ITEMS, VERSION, opened, write_version
from tests.support import reuse

ROOT = Path(__file__).resolve().parents[3]
SECOND = '''"""more"""

from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("items") as batch:
        batch.add_column(sa.Column("more", sa.Integer(), server_default="7", nullable=False))
        batch.alter_column("name", existing_type=sa.String(100), nullable=True)
    op.execute("INSERT INTO items (key, name) VALUES ('00000000000000000000000000000001', NULL)")
    %s


def downgrade() -> None:
    pass
'''
SCRIPT = """
import asyncio, sys
from pathlib import Path
from libs.db.migrate import open_migrated

async def main():
    url, schema, versions = sys.argv[1:]
    database = await open_migrated(url, schema or None, Path(versions))
    await database.close()

asyncio.run(main())
"""


async def versions_of(database: Database) -> list[str]:
    async with database.reading() as tx:
        return list((await tx.execute(sa.text("SELECT version_num FROM alembic_version"))).scalars())


async def test_an_empty_database_becomes_the_newest(databases, tmp_path):
    async with opened(*await databases("items"), write_version(tmp_path)) as db:
        async with db.reading() as tx:
            assert (await tx.execute(sa.select(ITEMS))).all() == []
        assert await versions_of(db) == ["0001"]


async def test_applying_again_changes_nothing(databases, tmp_path):
    place = await databases("items")
    for _ in range(2):
        async with opened(*place, write_version(tmp_path)) as db:
            assert await versions_of(db) == ["0001"]


async def test_a_later_version_is_added_to_what_is_there(databases, tmp_path):
    place = await databases("items")
    async with opened(*place, write_version(tmp_path)):
        pass
    async with opened(*place, write_version(tmp_path, SECOND % "pass", "0002_more.py")) as db:
        assert await versions_of(db) == ["0002"]
        async with db.reading() as tx:
            assert (await tx.execute(sa.text("SELECT more FROM items"))).scalars().all() == [7]


async def test_a_version_that_fails_leaves_nothing(databases, tmp_path):
    place = await databases("items")
    async with opened(*place, write_version(tmp_path)):
        pass
    broken = write_version(tmp_path, SECOND % 'raise RuntimeError("broken")', "0002_more.py")
    with pytest.raises(RuntimeError, match="broken"):
        await open_migrated(*place, broken)
    (broken / "0002_more.py").unlink()
    async with opened(*place, broken) as db:
        assert await versions_of(db) == ["0001"]
        async with db.reading() as tx:
            assert (await tx.execute(sa.select(ITEMS))).all() == []
            with pytest.raises(sa.exc.DBAPIError):
                await tx.execute(sa.text("SELECT more FROM items"))


async def test_processes_that_start_at_once_migrate_once(databases, tmp_path):
    url, schema = await databases("items")
    versions = write_version(tmp_path)
    starting = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, url, schema or "", str(versions), cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(4)
    ]
    ended = await asyncio.gather(*(process.communicate() for process in starting))

    assert [process.returncode for process in starting] == [0] * 4, ended
    async with opened(url, schema, versions) as db:
        assert await versions_of(db) == ["0001"]


async def test_two_services_share_a_database_and_see_only_their_own(databases, tmp_path):
    first, second = await databases("a"), await databases("b")
    (tmp_path / "other").mkdir()
    other = write_version(tmp_path / "other", VERSION.replace('"items"', '"things"'))
    async with opened(*first, write_version(tmp_path)), opened(*second, other) as db, db.reading() as tx:
        with pytest.raises(sa.exc.DBAPIError):
            await tx.execute(sa.select(ITEMS))


async def test_a_schema_with_any_name_is_made(postgres_url, tmp_path):
    schema = 'Odd "name", really'
    try:
        async with opened(postgres_url, schema, write_version(tmp_path)) as db, db.reading() as tx:
            assert (await tx.execute(sa.text("SELECT current_schema()"))).scalar() == schema
    finally:
        connection = await asyncpg.connect(postgres_url)
        await connection.execute('DROP SCHEMA IF EXISTS "Odd ""name"", really" CASCADE')
        await connection.close()


async def test_a_user_who_may_not_make_schemas_uses_the_one_made_for_him(postgres_url, tmp_path):
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute("CREATE ROLE plain_clerk LOGIN PASSWORD 'secret'")
        await admin.execute("CREATE SCHEMA clerks_own AUTHORIZATION plain_clerk")
        url = make_url(postgres_url).set(username="plain_clerk", password="secret")
        text = url.render_as_string(hide_password=False)
        async with opened(text, "clerks_own", write_version(tmp_path)) as db:
            assert await versions_of(db) == ["0001"]
    finally:
        await admin.execute("DROP SCHEMA IF EXISTS clerks_own CASCADE")
        await admin.execute("DROP ROLE IF EXISTS plain_clerk")
        await admin.close()


@pytest.mark.parametrize("context", sorted(path.parents[1].name for path in (ROOT / "services").glob("*/migrations/versions")))
async def test_the_migrations_of_a_service_make_the_tables_it_declares(context, tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    tables = importlib.import_module(f"services.{context}.adapters.db.tables").METADATA
    versions = ROOT / "services" / context / "migrations" / "versions"
    async with opened(f"sqlite:///{tmp_path}/{context}.sqlite3", None, versions) as db, db.altering() as tx:
        options = {"include_object": is_of_a_service}
        difference = await tx.run_sync(lambda c: compare_metadata(MigrationContext.configure(c, opts=options), tables))

    assert difference == []


def filled(table, **given):
    """Values for every column that needs one, and those that are given."""
    some = {
        Json: {},
        Micros: 1,
        UtcTime: datetime(2026, 3, 2, tzinfo=UTC),
        sa.BigInteger: 1,
        sa.Integer: 1,
        sa.Boolean: True,
        sa.Uuid: UUID(int=1),
    }
    needed = [c for c in table.c if not c.nullable and c.server_default is None]
    return {c.name: some.get(type(c.type), "x") for c in needed} | given


def before(context, revision, tmp_path):
    """All migrations of a service, and a folder of those before a revision."""
    versions, former = ROOT / "services" / context / "migrations" / "versions", tmp_path / "former"
    former.mkdir()
    for script in versions.glob("0*.py"):
        if int(script.name[:4]) < revision:
            shutil.copy(script, former)
    return versions, former


@pytest.mark.parametrize("context", CONTEXTS)
async def test_what_migrations_left_once_is_what_they_leave_again(context, tmp_path, monkeypatch):
    versions = ROOT / "services" / context / "migrations" / "versions"
    dumps = []
    for commands in (command, reuse.CommonCommand, reuse.CommonCommand):
        monkeypatch.setattr(migrate, "command", commands)
        file = tmp_path / f"{len(dumps)}.sqlite3"
        await (await open_migrated(f"sqlite:///{file}", None, versions)).close()
        with closing(sqlite3.connect(file)) as database:
            # Only the time at which they ran is another.
            dumps.append(sorted(re.sub(r"\d{4}-\d\d-\d\dT[^']+", "", line) for line in database.iterdump()))
    assert len(dumps[0]) > 20
    assert dumps[0] == dumps[1] == dumps[2]


async def test_lines_that_had_a_discount_before_say_that_it_was_set_by_hand(databases, tmp_path):
    from services.order.adapters.db.tables import LINE_ITEMS, ORDERS

    place = await databases("sold")
    versions, former = before("order", 7, tmp_path)
    async with opened(*place, former) as db, db.transaction() as tx:
        await tx.execute(sa.insert(ORDERS).values(filled(ORDERS)))
        for id, discount in (("off", 1_230_000), ("plain", 0)):
            await tx.execute(sa.insert(LINE_ITEMS).values(filled(LINE_ITEMS, id=id, discount=discount)))
    async with opened(*place, versions) as db, db.reading() as tx:
        found = (await tx.execute(sa.select(LINE_ITEMS.c.id, LINE_ITEMS.c.discounts).order_by(LINE_ITEMS.c.id))).all()
    assert [tuple(row) for row in found] == [("off", [["override", 1_230_000]]), ("plain", [])]


async def test_stock_and_lines_of_before_are_of_no_variant_and_nothing_is_said_of_them(databases, tmp_path):
    from services.fulfillment.adapters.db.tables import inventory_records, shipment_items, supplier_order_lines

    place, tables = await databases("packed"), (inventory_records, shipment_items, supplier_order_lines)
    versions, former = before("fulfillment", 16, tmp_path)
    async with opened(*place, former) as db, db.transaction() as tx:
        for table in tables:
            await tx.execute(sa.insert(table).values(filled(table)))
    said = [supplier_order_lines.c[name] for name in ("cost_center", "shipping_account", "comments", "date_needed")]
    async with opened(*place, versions) as db, db.reading() as tx:
        assert [(await tx.execute(sa.select(table.c.variant_id))).scalars().all() for table in tables] == [[""]] * 3
        assert [tuple(row) for row in await tx.execute(sa.select(*said))] == [("", "", "", None)]
