"""Which builds may work on which tables: older schemas are refused, newer ones accepted when they say so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from libs.db import Database, Tuning
from libs.db.migrate import Migrated, current, open_migrated, revisions, upgrade
from libs.db.schema_info import Stored
from libs.db.startup import SchemaError
from tests.integration.libs.tables import write_version

CHECKING = Tuning(migrate=False)


def step(number: int, min_reader: str = "") -> str:
    """A migration that adds a nullable column."""
    declared = f'min_reader = "{min_reader}"' if min_reader else ""
    return f'''"""step {number}"""

from alembic import op
import sqlalchemy as sa

revision = "{number:04d}"
down_revision = "{number - 1:04d}"
branch_labels = None
depends_on = None
{declared}


def upgrade() -> None:
    op.add_column("items", sa.Column("step_{number}", sa.Integer(), nullable=True))
'''


def build(folder: Path, *min_readers: str) -> Path:
    """The migrations of a build: the first, and one more for each min_reader."""
    folder = folder / "migrations"
    folder.mkdir(parents=True)
    versions = write_version(folder)
    for number, min_reader in enumerate(min_readers, 2):
        write_version(folder, step(number, min_reader), f"{number:04d}_step.py")
    return versions


async def opening(place: tuple[str, str | None], versions: Path, tuning: Tuning = CHECKING) -> None:
    await (await open_migrated(*place, versions, tuning)).close()


async def said_by(place: tuple[str, str | None]) -> Stored:
    database = await Database.open(*place)
    try:
        return await current(database)
    finally:
        await database.close()


async def test_an_older_database_is_refused_by_a_build_that_may_not_migrate(databases, tmp_path):
    place = await databases("items")
    await opening(place, build(tmp_path / "old"), Tuning())
    with pytest.raises(SchemaError, match=r"^database of new is at 0001, this build needs 0002: run `waybill migrate`$"):
        await opening(place, build(tmp_path / "new", "0001"))


async def test_an_empty_database_is_refused_by_a_build_that_may_not_migrate(databases, tmp_path):
    with pytest.raises(SchemaError, match="is empty, this build needs 0001: run `waybill migrate`"):
        await opening(await databases("items"), build(tmp_path / "old"))


async def test_the_database_of_its_own_build_is_accepted(databases, tmp_path):
    place = await databases("items")
    versions = build(tmp_path / "old")
    await opening(place, versions, Tuning())
    await opening(place, versions)

    assert await said_by(place) == Stored("0001", "0001")


@pytest.mark.parametrize("tuning", [Tuning(), CHECKING], ids=["migrating", "checking"])
async def test_a_newer_database_is_accepted_by_a_build_that_it_still_serves(databases, tmp_path, tuning):
    place = await databases("items")
    old, new = build(tmp_path / "old"), build(tmp_path / "new", "0001", "0001")
    await opening(place, new, Tuning())
    await opening(place, old, tuning)

    assert await said_by(place) == Stored("0003", "0001")


@pytest.mark.parametrize("tuning", [Tuning(), CHECKING], ids=["migrating", "checking"])
async def test_a_newer_database_is_refused_by_a_build_that_it_no_longer_serves(databases, tmp_path, tuning):
    place = await databases("items")
    await opening(place, build(tmp_path / "new", "0001", "0002"), Tuning())
    with pytest.raises(SchemaError, match="is at 0003 and serves builds that know 0002; this build's newest is 0001"):
        await opening(place, build(tmp_path / "old"), tuning)
    await opening(place, build(tmp_path / "between", "0001"), tuning)

    assert await said_by(place) == Stored("0003", "0002")


async def test_a_migration_that_says_nothing_serves_no_older_build(databases, tmp_path):
    place = await databases("items")
    await opening(place, build(tmp_path / "new", ""), Tuning())
    with pytest.raises(SchemaError, match="is at 0002 and serves builds that know 0002"):
        await opening(place, build(tmp_path / "old"))


def test_a_later_migration_cannot_call_back_builds_that_an_earlier_one_shut_out(tmp_path):
    assert revisions(build(tmp_path / "builds", "0001", "0003", "0001")).min_reader == "0003"


def test_a_min_reader_must_be_a_revision_up_to_its_own(tmp_path):
    with pytest.raises(ValueError, match="min_reader of 0002 is '0009'"):
        revisions(build(tmp_path / "builds", "0009"))


async def test_a_newer_database_that_says_nothing_of_itself_is_refused(databases, tmp_path):
    place = await databases("items")
    await opening(place, build(tmp_path / "new", "0001"), Tuning())
    database = await Database.open(*place)
    async with database.altering() as tx:
        await tx.execute(sa.text("DROP TABLE schema_info"))
    await database.close()
    with pytest.raises(SchemaError, match="serves newer builds"):
        await opening(place, build(tmp_path / "old"), Tuning())


async def test_a_database_of_a_build_that_wrote_nothing_of_itself_is_completed(databases, tmp_path):
    place = await databases("items")
    versions = build(tmp_path / "old")
    await opening(place, versions, Tuning())
    database = await Database.open(*place)
    try:
        async with database.altering() as tx:
            await tx.execute(sa.text("DROP TABLE schema_info"))
        assert await upgrade(database, versions) == Migrated("0001", "0001")
    finally:
        await database.close()
    assert await said_by(place) == Stored("0001", "0001")


async def test_upgrading_twice_and_from_two_places_at_once_applies_each_step_once(databases, tmp_path):
    place = await databases("items")
    versions = build(tmp_path / "new", "0001", "0001")
    first, second = await Database.open(*place), await Database.open(*place)
    try:
        outcomes = await asyncio.gather(upgrade(first, versions), upgrade(second, versions))
        assert sorted(o.before for o in outcomes) == ["", "0003"]
        assert {o.after for o in outcomes} == {"0003"}
        assert await upgrade(first, versions) == Migrated("0003", "0003")
    finally:
        await first.close()
        await second.close()
