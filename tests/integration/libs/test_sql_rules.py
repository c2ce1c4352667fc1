"""Rules of inspections as SQL, on both databases."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from libs.db import Database
from libs.db.invariants import NOT_KNOWN, SqlRule, judged, names_are_known
from libs.invariants import Finding, RuleResult
from tests.integration.libs.tables import ITEMS, created
from tests.integration.libs.tables import METADATA as TABLES


@pytest.fixture
async def db(databases, tmp_path) -> AsyncIterator[Database]:
    async with created(*await databases("rules"), TABLES, tmp_path) as database:
        async with database.transaction() as tx:
            await tx.execute(tx.insert(ITEMS), [{"key": uuid.UUID(int=n), "name": name} for n, name in enumerate(("a", "b"), 1)])
        yield database


async def found(db: Database, *rules: SqlRule) -> list[Finding | RuleResult]:
    async with db.inspecting() as tx:
        return [record async for record in judged(tx, "items", rules)]


def failing(db: Database, name: str = "fails") -> SqlRule:
    """The database itself cannot work it out."""
    text = sa.literal("NO_SUCH_VALUE")
    made = sa.cast(text, sa.Integer) if db.dialect == "postgresql" else sa.func.json(text)
    detail = sa.literal("d").label("detail")
    return SqlRule(name, sa.select(ITEMS.c.name.label("subject"), detail).where(made == made + 1), ITEMS)


async def test_a_rule_that_the_database_cannot_work_out_is_broken_and_the_next_ones_go_on(db: Database) -> None:
    everything = sa.select(ITEMS.c.name.label("subject"), sa.literal("d").label("detail")).order_by(ITEMS.c.name)
    none, all_of_them = SqlRule("none", everything.where(sa.false()), ITEMS), SqlRule("all", everything, ITEMS)
    before, *after = await found(db, none, failing(db), failing(db, "fails too"), all_of_them)
    assert before == RuleResult("none", 2)
    broken = [record for record in after if isinstance(record, Finding) and record.rule != "all"]
    assert [(finding.rule, finding.subject) for finding in broken] == [("fails", NOT_KNOWN), ("fails too", NOT_KNOWN)]
    assert [record for record in after if record not in broken] == [
        RuleResult("fails", 0, 1),
        RuleResult("fails too", 0, 1),
        Finding("items", "all", "a", "d"),
        Finding("items", "all", "b", "d"),
        RuleResult("all", 2, 2),
    ]


async def test_a_name_that_is_not_known_is_reported_with_its_row(db: Database) -> None:
    finding, result = await found(db, names_are_known({ITEMS.c.name: ("a", "c")}))
    assert isinstance(finding, Finding)
    assert finding.subject.replace("-", "") == f"items {uuid.UUID(int=2).hex}"
    assert finding.detail == "name 'b'"
    assert result == RuleResult("names_are_known", 2, 1)
