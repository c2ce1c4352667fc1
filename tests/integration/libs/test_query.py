"""Lists on both databases: every filter and every order give what Python's own comparison gives."""

# Long because it is the table of the filter language, case by case.
from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from libs.db import Database, Json, Micros, UtcTime, metadata
from libs.query import Field, Listing, PageRequest
from tests.integration.libs.tables import created

METADATA = metadata()
THINGS = sa.Table(
    "things",
    METADATA,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("note", sa.String(100), nullable=True),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("total", Micros(), nullable=True),
    sa.Column("active", sa.Boolean, nullable=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("owner", sa.Uuid(), nullable=True),
    sa.Column("create_time", UtcTime(), nullable=False),
    sa.Column("ship_time", UtcTime(), nullable=True),
    sa.Column("xp", Json(), nullable=True),
)
T = THINGS.c
LISTING = Listing(
    {
        "id": Field(T.id),
        "name": Field(T.name),
        "note": Field(T.note),
        "quantity": Field(T.quantity, "int"),
        "total": Field(T.total, "micros"),
        "active": Field(T.active, "bool"),
        "owner": Field(T.owner, "uuid"),
        "status": Field(T.status, "enum", {"OPEN": "Open", "CLOSED": "Closed"}),
        "create_time": Field(T.create_time, "time"),
        "ship_time": Field(T.ship_time, "time"),
    },
    T.id,
    xp=T.xp,
)
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES = [
    "Bolt",
    "a*b",
    "a[b",
    "a\\b",
    "a?b",
    "bolt",
    "BOLT",
    "PO-1",
    "PO1",
    "PO-10",
    "a_b",
    "a%b",
    "ä",
    "z",
    "",
    "Zebra",
    "é",
    "☃",
]
XPS: list[Any] = [
    None,
    {},
    {"a": None},
    {"a": 5},
    {"a": 5.5},
    {"a": -1},
    {"a": "5"},
    {"a": "text"},
    {"a": "Text"},
    {"a": ""},
    {"a": True},
    {"a": False},
    {"a": "true"},
    {"a": ["red", 5, True]},
    {"a": {"b": "deep"}},
    {"a": {"b": 7}},
    {"a": {"b": {"c": 1}}},
    {"a": 10},
    {"a": 9},
    {"a": 12345678901},
    {"a": "ä"},
    {"null": 1, "0": "zero"},
    {"a": 2.0**53},
    {"a": -1e300},
    {"a": 0.1 + 0.2},
    {"a": 1.7976931348623157e308},
    {"a": []},
]


def things() -> list[dict[str, Any]]:
    """Rows with ties and gaps everywhere, the same in every run."""
    chance = random.Random(7)
    return [
        {
            "id": f"t{n:03}",
            "name": chance.choice(NAMES),
            "note": chance.choice([None, *NAMES]),
            "quantity": chance.randint(-3, 3),
            "total": chance.choice([None, 0, 1, 12_500_000, -7, 2**40]),
            "active": chance.choice([None, True, False]),
            "status": chance.choice(["Open", "Closed"]),
            "owner": chance.choice([None, uuid.UUID(int=1), uuid.UUID(int=2)]),
            "create_time": START + timedelta(microseconds=chance.randint(0, 3)),
            "ship_time": chance.choice([None, START, START + timedelta(days=1)]),
            "xp": XPS[n % len(XPS)],
        }
        for n in range(92)
    ]


ROWS = things()


@pytest.fixture
async def db(databases, tmp_path) -> AsyncIterator[Database]:
    async with created(*await databases("lists"), METADATA, tmp_path) as database:
        async with database.transaction() as tx:
            await tx.execute(tx.insert(THINGS), ROWS)
        yield database


async def page(db: Database, **arguments: Any) -> tuple[list[Any], str]:
    plan = LISTING.plan(db.dialect, PageRequest(**arguments))
    async with db.reading(snapshot=plan.counts) as tx:
        found = await plan.read(tx, sa.select(THINGS))
    return [row.id for row in found.items], found.next_page_token


async def walk(db: Database, page_size: int, **arguments: Any) -> list[str]:
    """The ids of all pages."""
    found: list[str] = []
    token = ""
    while True:
        ids, token = await page(db, page_size=page_size, page_token=token, **arguments)
        found += ids
        if not token:
            return found


def xp(row: dict[str, Any], *path: str) -> Any:
    found = row["xp"]
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


Rule = Callable[[dict[str, Any]], bool]
FILTERS: dict[str, Rule] = {
    'name = "bolt"': lambda r: r["name"] == "bolt",
    "name = bolt OR name = Bolt": lambda r: r["name"] in ("bolt", "Bolt"),
    'name != "bolt"': lambda r: r["name"] != "bolt",
    'name < "a"': lambda r: r["name"].encode() < b"a",
    'name >= "PO-1" AND name <= "PO1"': lambda r: b"PO-1" <= r["name"].encode() <= b"PO1",
    'name > "ä"': lambda r: r["name"].encode() > "ä".encode(),
    'name:"olt"': lambda r: "olt" in r["name"],
    'name:"OLT"': lambda r: "OLT" in r["name"],
    'name:"%"': lambda r: "%" in r["name"],
    'name:"_"': lambda r: "_" in r["name"],
    'name = "PO*"': lambda r: r["name"].startswith("PO"),
    'name = "*olt"': lambda r: r["name"].endswith("olt"),
    'name = "P*1"': lambda r: r["name"] in ("PO-1", "PO1"),
    'name = "*O*1*"': lambda r: r["name"] in ("PO-1", "PO1", "PO-10"),
    'name = "b*"': lambda r: r["name"].startswith("b"),
    r'name = "a\*b"': lambda r: r["name"] == "a*b",
    r'name = "a\**"': lambda r: r["name"] == "a*b",
    'name = "a%*"': lambda r: r["name"] == "a%b",
    'name = "a_*"': lambda r: r["name"] == "a_b",
    'name = "a[*"': lambda r: r["name"] == "a[b",
    'name = "*?b"': lambda r: r["name"] == "a?b",
    r'name = "*\\*"': lambda r: r["name"] == "a\\b",
    'name = "ä*"': lambda r: r["name"] == "ä",
    'name != "PO*"': lambda r: not r["name"].startswith("PO"),
    'NOT name = "PO*"': lambda r: not r["name"].startswith("PO"),
    'note = "*"': lambda r: r["note"] is not None,
    'note != "PO*"': lambda r: not (r["note"] or "").startswith("PO"),
    'NOT note = "PO*"': lambda r: not (r["note"] or "").startswith("PO"),
    'name:"*"': lambda r: "*" in r["name"],
    'xp.a = "t*t"': lambda r: xp(r, "a") == "text",
    'xp.a = "*e*"': lambda r: xp(r, "a") in ("text", "Text", "true"),
    'xp.a != "*e*"': lambda r: xp(r, "a") not in ("text", "Text", "true"),
    'NOT xp.a = "*e*"': lambda r: xp(r, "a") not in ("text", "Text", "true"),
    'note = ""': lambda r: r["note"] == "",
    'note != "bolt"': lambda r: r["note"] != "bolt",
    'NOT note = "bolt"': lambda r: r["note"] != "bolt",
    'NOT note != "bolt"': lambda r: r["note"] == "bolt",
    "note:*": lambda r: r["note"] is not None,
    "NOT note:*": lambda r: r["note"] is None,
    '-note:"olt"': lambda r: "olt" not in (r["note"] or ""),
    "quantity > -1": lambda r: r["quantity"] > -1,
    "quantity <= 0": lambda r: r["quantity"] <= 0,
    "quantity = 9000000000000000000": lambda r: False,
    "quantity != 9000000000000000000": lambda r: True,
    "quantity < -9000000000000000000": lambda r: False,
    "total = 12.50": lambda r: r["total"] == 12_500_000,
    "total > 0.000001": lambda r: r["total"] is not None and r["total"] > 1,
    "total != 0": lambda r: r["total"] != 0,
    "NOT total > 0": lambda r: r["total"] is None or r["total"] <= 0,
    "active = true": lambda r: r["active"] is True,
    "active != true": lambda r: r["active"] is not True,
    "NOT active = false": lambda r: r["active"] is not False,
    "status = OPEN": lambda r: r["status"] == "Open",
    "status != open": lambda r: r["status"] != "Open",
    "owner = 00000000-0000-0000-0000-000000000001": lambda r: r["owner"] == uuid.UUID(int=1),
    "owner != 00000000-0000-0000-0000-000000000001": lambda r: r["owner"] != uuid.UUID(int=1),
    "create_time > 2026-03-02T12:00:00.000001Z": lambda r: r["create_time"] > START + timedelta(microseconds=1),
    "create_time <= 2026-03-02T14:00:00+02:00": lambda r: r["create_time"] <= START,
    "ship_time < 2026-03-03": lambda r: r["ship_time"] is not None and r["ship_time"] < START + timedelta(hours=12),
    'NOT ship_time < "2026-03-03"': lambda r: r["ship_time"] is None or r["ship_time"] > START,
    "NOT (quantity = 1 AND active = true)": lambda r: not (r["quantity"] == 1 and r["active"] is True),
    "NOT (quantity = 1 OR note = z)": lambda r: not (r["quantity"] == 1 or r["note"] == "z"),
    "quantity = 1 AND (active = true OR NOT (note:* AND total:*))": lambda r: (
        r["quantity"] == 1 and (r["active"] is True or r["note"] is None or r["total"] is None)
    ),
    "xp.a = 5": lambda r: xp(r, "a") == 5 and is_number(xp(r, "a")),
    "xp.a = 5.0": lambda r: is_number(xp(r, "a")) and xp(r, "a") == 5,
    'xp.a = "5"': lambda r: xp(r, "a") == "5",
    "xp.a > 5": lambda r: is_number(xp(r, "a")) and xp(r, "a") > 5,
    "xp.a < 10": lambda r: is_number(xp(r, "a")) and xp(r, "a") < 10,
    "xp.a >= -1e0": lambda r: is_number(xp(r, "a")) and xp(r, "a") >= -1,
    "xp.a = 12345678901": lambda r: xp(r, "a") == 12345678901,
    "xp.a != 5": lambda r: not (is_number(xp(r, "a")) and xp(r, "a") == 5),
    "NOT xp.a = 5": lambda r: not (is_number(xp(r, "a")) and xp(r, "a") == 5),
    "NOT xp.a > 5": lambda r: not (is_number(xp(r, "a")) and xp(r, "a") > 5),
    "xp.a = text": lambda r: xp(r, "a") == "text",
    'xp.a != "text"': lambda r: xp(r, "a") != "text",
    'xp.a > "T"': lambda r: isinstance(xp(r, "a"), str) and xp(r, "a").encode() > b"T",
    'xp.a = ""': lambda r: xp(r, "a") == "",
    "xp.a = true": lambda r: xp(r, "a") is True,
    'xp.a = "true"': lambda r: xp(r, "a") == "true",
    "xp.a = false": lambda r: xp(r, "a") is False,
    "xp.a != true": lambda r: xp(r, "a") is not True,
    "NOT xp.a = true": lambda r: xp(r, "a") is not True,
    "xp.a:*": lambda r: xp(r, "a") is not None,
    "NOT xp.a:*": lambda r: xp(r, "a") is None,
    "xp.a.b = deep": lambda r: xp(r, "a", "b") == "deep",
    "xp.a.b > 1": lambda r: is_number(xp(r, "a", "b")) and xp(r, "a", "b") > 1,
    "xp.a.b.c = 1": lambda r: xp(r, "a", "b", "c") == 1,
    "xp.null = 1": lambda r: xp(r, "null") == 1,
    "xp.0 = zero": lambda r: xp(r, "0") == "zero",
    "xp.a.0 = red": lambda r: False,
    "xp.a:red": lambda r: xp(r, "a") == ["red", 5, True],
    "xp.a:5": lambda r: xp(r, "a") == ["red", 5, True] or (is_number(xp(r, "a")) and xp(r, "a") == 5),
    "xp.a:true": lambda r: xp(r, "a") == ["red", 5, True] or xp(r, "a") is True,
    "xp.a:false": lambda r: xp(r, "a") is False,
    'xp.a:"ext"': lambda r: isinstance(xp(r, "a"), str) and "ext" in xp(r, "a"),
    'NOT xp.a:"red"': lambda r: xp(r, "a") != ["red", 5, True],
    'xp.a:"b"': lambda r: False,
    "xp.a > 1e299": lambda r: is_number(xp(r, "a")) and xp(r, "a") > 1e299,
    "xp.a < -1E+299": lambda r: is_number(xp(r, "a")) and xp(r, "a") < -1e299,
    "xp.a = 9007199254740992": lambda r: xp(r, "a") == 2**53,
    "xp.a = 9.007199254740993e15": lambda r: xp(r, "a") == 2**53,
    "xp.a = 0.3": lambda r: xp(r, "a") == 0.3,
    "xp.a = 0.30000000000000004": lambda r: xp(r, "a") == 0.1 + 0.2,
    "xp.a = 0.300000000000000040000000000000001": lambda r: xp(r, "a") == 0.1 + 0.2,
    "xp.a > -0": lambda r: is_number(xp(r, "a")) and xp(r, "a") > 0,
    "xp.a > 1e-400": lambda r: is_number(xp(r, "a")) and xp(r, "a") > 0,
    "xp.a:1e300": lambda r: False,
    "xp.a:-1e300": lambda r: xp(r, "a") == -1e300,
}


async def test_a_filter_keeps_what_it_says(db):
    wrong = {}
    for text, rule in FILTERS.items():
        wanted = sorted(row["id"] for row in ROWS if rule(row))
        found = sorted((await page(db, filter=text, page_size=1_000))[0])
        if found != wanted:
            wrong[text] = (found, wanted)

    assert wrong == {}


def test_most_filters_keep_some_rows_and_drop_some():
    kept = {text: sum(map(rule, ROWS)) for text, rule in FILTERS.items()}

    assert sum(0 < count < len(ROWS) for count in kept.values()) > len(FILTERS) - 8


def sort_key(row: dict[str, Any], name: str) -> tuple[Any, ...]:
    """Ascending with missing values last; numbers of xp come before its texts."""
    value = xp(row, *name.split(".")[1:]) if name.startswith("xp.") else row[name]
    if name.startswith("xp."):
        if is_number(value):
            return (0, value)
        if isinstance(value, bool):
            return (1, str(value).lower().encode())
        return (1, value.encode()) if isinstance(value, str) else (2,)
    if value is None:
        return (2,)
    return (0, value.encode() if isinstance(value, str) else value)


def sort(order_by: str) -> list[str]:
    rows = sorted(ROWS, key=lambda row: row["id"], reverse=order_by.endswith(" desc"))
    for part in reversed(order_by.split(",")):
        name, _, direction = part.strip().partition(" ")
        # Python's sort keeps ties as they are, in reverse too.
        rows.sort(key=lambda row, name=name: sort_key(row, name), reverse=direction == "desc")
    return [row["id"] for row in rows]


ORDERS = [
    "id",
    "id desc",
    "name",
    "name desc",
    "note",
    "note desc",
    "quantity, name desc",
    "quantity desc,note",
    "total desc, active, owner desc",
    "active desc",
    "ship_time, create_time desc",
    "ship_time desc",
    "owner, note desc",
    "xp.a",
    "xp.a desc",
    "xp.a.b desc, quantity",
    "active, xp.a desc, note asc",
    "status, total",
    "xp.nothing, name",
]


@pytest.mark.parametrize("order_by", ORDERS)
async def test_pages_of_any_size_follow_the_order_and_miss_or_repeat_nothing(db, order_by):
    wanted = sort(order_by)
    for size in (1_000, 7, 1):
        assert await walk(db, size, order_by=order_by) == wanted


async def test_the_default_order_is_newest_first(db):
    assert await walk(db, 10) == sort("create_time desc")


async def test_pages_of_a_filtered_list_have_the_filtered_rows_only(db):
    wanted = [id for id in sort("note desc") if next(r for r in ROWS if r["id"] == id)["active"] is True]

    assert await walk(db, 3, filter="active = true", order_by="note desc") == wanted


async def test_rows_that_come_and_go_between_pages_move_no_others(db):
    first, token = await page(db, order_by="name", page_size=10)
    rest = [id for id in sort("name") if id not in first]
    async with db.transaction() as tx:
        await tx.execute(sa.delete(THINGS).where(T.id.in_(first[:5])))
        early = {**ROWS[0], "id": "new", "name": ""}
        await tx.execute(tx.insert(THINGS), early)
    found: list[str] = []
    while token:
        ids, token = await page(db, order_by="name", page_size=10, page_token=token)
        found += ids

    assert found == rest


async def test_a_page_leaves_out_what_is_skipped_from_the_start_or_from_its_token(db):
    wanted = sort("note desc")
    first, token = await page(db, order_by="note desc", page_size=10, skip=25)
    after, _ = await page(db, order_by="note desc", page_size=10, skip=5, page_token=token)
    beyond = await page(db, order_by="note desc", skip=len(ROWS))

    assert first == wanted[25:35]
    assert after == wanted[40:50]
    assert beyond == ([], "")


@pytest.mark.parametrize("arguments", [{}, {"filter": "active = true"}, {"filter": "quantity = 99"}])
@pytest.mark.parametrize("where", [{}, {"skip": 3}, {"skip": 10_000}, {"page_size": 1}])
async def test_the_total_counts_what_the_filter_keeps_wherever_the_page_is(db, arguments, where):
    plan = LISTING.plan(db.dialect, PageRequest(**arguments, **where, include_total=True))
    async with db.reading(snapshot=plan.counts) as tx:
        first = await plan.read(tx, sa.select(THINGS))
    every = await walk(db, 1_000, **arguments)

    assert first.total_size == len(every)
    if first.next_page_token:
        rest = LISTING.plan(db.dialect, PageRequest(**arguments, include_total=True, page_token=first.next_page_token))
        async with db.reading(snapshot=True) as tx:
            assert (await rest.read(tx, sa.select(THINGS))).total_size == len(every)


async def test_nothing_is_counted_unless_it_is_asked_for(db):
    plan = LISTING.plan(db.dialect, PageRequest())
    async with db.reading() as tx:
        found = await plan.read(tx, sa.select(THINGS))

    assert (plan.counts, found.total_size) == (False, None)


async def test_the_total_is_of_the_moment_of_its_page(db):
    plan = LISTING.plan(db.dialect, PageRequest(include_total=True))

    async def meanwhile(rows: Any) -> int:
        async with db.transaction() as tx:
            await tx.execute(sa.delete(THINGS).where(T.quantity > 0))
        return len(rows)

    async with db.reading(snapshot=plan.counts) as tx:
        found = await plan.read(tx, sa.select(THINGS), meanwhile)

    assert found.total_size == len(ROWS)


async def test_the_default_list_begins_at_an_index(databases, backend, tmp_path):
    tables = metadata()
    table = sa.Table(
        "many",
        tables,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("create_time", UtcTime(), nullable=False, index=True),
    )
    listing = Listing({"create_time": Field(table.c.create_time, "time")}, table.c.id)
    async with created(*await databases("many"), tables, tmp_path) as db:
        async with db.transaction() as tx:
            rows = [{"id": n, "create_time": START + timedelta(seconds=n)} for n in range(5_000)]
            await tx.execute(tx.insert(table), rows)
            await tx.execute(sa.text("ANALYZE"))
        plan = listing.plan(db.dialect, PageRequest(page_size=10))
        async with db.reading() as tx:
            first = plan.page((await tx.execute(plan.apply(sa.select(table)))).all())
            second = listing.plan(db.dialect, PageRequest(10, first.next_page_token)).apply(sa.select(table))
            text = str(await tx.run_sync(lambda c: second.compile(c, compile_kwargs={"literal_binds": True})))
            explain = "EXPLAIN" if backend == "postgresql" else "EXPLAIN QUERY PLAN"
            how = await tx.execute(sa.text(f"{explain} {text}".replace(":", "\\:")))
        plan = "\n".join(str(tuple(row)) for row in how.all())

    assert "ix_many_create_time" in plan
    assert "Seq Scan" not in plan
    if backend == "sqlite":
        assert "create_time<?" in plan
    else:
        assert "Index Cond" in plan
