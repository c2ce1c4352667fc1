"""The log of administrative acts: what is in it, what it is found by, and what is forgotten."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from libs.audit.entry import AuditEntry
from libs.audit.log import SqlAuditLog
from libs.audit.trail import Act, audit_table, note
from libs.auth import Principal
from libs.db import Database, metadata
from libs.errors import WaybillError
from libs.query.request import PageRequest
from libs.relay import changes
from libs.relay.change import Change
from libs.relay.change_feed import SqlChangeFeed
from libs.rpc.call import CURRENT, Call
from tests.integration.libs.tables import created
from tests.support.principals import buyer, seller, supplier

METADATA = metadata()
RECORDS = sa.Table(
    "records", METADATA, sa.Column("key", sa.Uuid, primary_key=True), sa.Column("id", sa.String(100), nullable=False)
)
TABLES = changes.change_tables(METADATA).looking_up(changes.Counted(RECORDS.c.key, RECORDS.c.id, sa.literal(1)))
TABLE = audit_table(METADATA, ("role",))
METHOD = "/waybill.catalog.v1.ProductService/UpdateProduct"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAM = seller(user="sam")


@pytest.fixture
async def db(databases, tmp_path) -> AsyncIterator[Database]:
    async with created(*await databases("audit"), METADATA, tmp_path) as database:
        yield database


@pytest.fixture
def log(db: Database) -> SqlAuditLog:
    return SqlAuditLog(db, METADATA)


@contextmanager
def called_by(caller: Principal | None, service: str | None = None) -> Iterator[None]:
    token = CURRENT.set(Call(METHOD, "r1", caller, service, None))
    try:
        yield
    finally:
        CURRENT.reset(token)


async def write(db: Database, *made: Change) -> None:
    async with db.transaction() as tx:
        await changes.append(tx, TABLES, made)


async def undone(db: Database, *made: Change) -> None:
    async with db.transaction() as tx:
        await changes.append(tx, TABLES, made)
        raise RuntimeError


async def read(log: SqlAuditLog, **asked: object) -> list[AuditEntry]:
    return list((await log.list(SAM, PageRequest(**asked))).items)  # type: ignore[arg-type]


async def test_an_entry_says_who_did_what_to_which_resource_when_and_how(db: Database, log: SqlAuditLog) -> None:
    acting = replace(buyer(), impersonator_id="sam")
    with called_by(acting):
        await write(db, Change("product", "p1", 3, NOW, fields=("name", "xp")))
    (entry,) = await read(log)
    assert entry == AuditEntry(
        *(entry.id, NOW, "UpdateProduct", METHOD, "product", "p1", ["name", "xp"]), *("anna", "BUYER:acme", "sam", "shop", "r1")
    )


@pytest.mark.parametrize(
    ("caller", "service", "resources"),
    [
        (SAM, None, ["product", "role"]),
        (replace(buyer(), impersonator_id="sam"), None, ["product", "role"]),
        (buyer(), None, ["role"]),
        (supplier(), None, ["role"]),
        (SAM, "order", []),
        (None, None, []),
    ],
)
async def test_acts_of_the_seller_are_in_it_and_of_others_what_is_named(
    db: Database, log: SqlAuditLog, caller: Principal | None, service: str | None, resources: list[str]
) -> None:
    with called_by(caller, service):
        await write(db, Change("product", "p1", 3, NOW), Change("role", "r1", 1, NOW))
    await write(db, Change("role", "r2", 1, NOW))
    assert sorted(entry.resource for entry in await read(log)) == resources


async def test_one_call_has_one_entry_of_a_resource_and_what_was_undone_has_none(db: Database, log: SqlAuditLog) -> None:
    with called_by(SAM):
        async with db.transaction() as tx:
            await changes.append(tx, TABLES, [Change("product", "p1", 3, NOW, fields=("name",))])
            changes.note(tx, TABLES, [Change("product", "p1", 4, NOW, fields=("name", "xp")), Change("product", "p2", 1, NOW)])
        with pytest.raises(RuntimeError):
            await undone(db, Change("product", "p3", 1, NOW))
    assert {entry.resource_id: entry.fields for entry in await read(log)} == {"p1": ["name", "xp"], "p2": []}


async def test_ids_of_rows_that_are_known_by_their_keys_are_looked_up(db: Database, log: SqlAuditLog) -> None:
    key = uuid.uuid4()
    with called_by(SAM):
        async with db.transaction() as tx:
            await tx.execute(tx.insert(RECORDS), [{"key": key, "id": "tape"}])
            changes.note(tx, TABLES, [Change("record", "", 0, NOW, key=key), Change("record", "plain", 1, NOW)])
    assert {entry.resource_id for entry in await read(log)} == {"tape", "plain"}


async def test_it_goes_on_while_the_feed_of_changes_is_off_and_says_who_turned_it_off(db: Database, log: SqlAuditLog) -> None:
    with called_by(SAM):
        await SqlChangeFeed(db, TABLES).switch(False)
        await SqlChangeFeed(db, TABLES).switch(False)
        await write(db, Change("product", "p1", 1, NOW))
    entries = await read(log, order_by="resource")
    assert [(entry.resource, entry.resource_id) for entry in entries] == [("change feed", "off"), ("product", "p1")]


async def test_what_nobody_calls_for_is_in_it_by_its_own_name_only(db: Database, log: SqlAuditLog) -> None:
    async with db.transaction() as tx:
        note(tx, METADATA, [Act("role", "r1", NOW), Act("secret", "owner", NOW, action="ResetSecret")])
    (entry,) = await read(log)
    assert (entry.action, entry.method, entry.user_id, entry.party, entry.request_id) == ("ResetSecret", "", "", "", "")


async def test_the_newest_come_first_page_by_page_and_filters_find_them(db: Database, log: SqlAuditLog) -> None:
    for i, who in enumerate((SAM, seller(user="sue"), SAM, SAM)):
        with called_by(who):
            await write(db, Change("product", f"p{i}", 1, NOW + timedelta(minutes=i)))
    first = await log.list(SAM, PageRequest(page_size=3, include_total=True))
    rest = await log.list(SAM, PageRequest(page_size=3, page_token=first.next_page_token))
    assert [entry.resource_id for entry in (*first.items, *rest.items)] == ["p3", "p2", "p1", "p0"]
    assert (first.total_size, rest.next_page_token) == (4, "")
    for filter, found in (
        ('user_id = "sam" AND time >= "2026-03-02T12:02:00Z"', ["p3", "p2"]),
        ('time < "2026-03-02T12:01:00Z"', ["p0"]),
        ('resource = "product" AND resource_id = "p1"', ["p1"]),
        ('action = "Update*" AND NOT user_id = "sam"', ["p1"]),
        ('impersonator_id = "sam"', []),
        ('client_id = "back-office" AND party = "SELLER:seller" AND request_id = "r1"', ["p3", "p2", "p1", "p0"]),
        (f'method = "{METHOD}" AND user_id = "sue"', ["p1"]),
    ):
        assert [entry.resource_id for entry in await read(log, filter=filter)] == found, filter
    with pytest.raises(WaybillError) as error:
        await log.list(SAM, PageRequest(filter="fields = 1", order_by="fields", page_size=-1))
    assert {violation.reason for violation in error.value.fields} == {"FILTER_INVALID", "ORDER_BY_INVALID", "VALUE_OUT_OF_RANGE"}


async def test_what_is_old_is_forgotten_a_part_at_a_time(db: Database, log: SqlAuditLog) -> None:
    for i in range(5):
        with called_by(SAM):
            await write(db, Change("product", f"p{i}", 1, NOW + timedelta(days=i)))
    before = NOW + timedelta(days=3)
    assert [await log.forget(before, most=2) for _ in range(3)] == [2, 1, 0]
    assert [entry.resource_id for entry in await read(log)] == ["p4", "p3"]
