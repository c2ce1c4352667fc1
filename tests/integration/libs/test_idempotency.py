"""One request id, one effect: replays, reuse, and calls at the same time, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from libs.db import Database, metadata
from libs.errors import WaybillError
from libs.idempotency import outcomes
from libs.idempotency.key import RequestKey, key_of
from tests.integration.libs.tables import created
from tests.support.principals import buyer, seller
from waybill.catalog.v1 import product_pb2, product_service_pb2

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
EFFECTS = sa.Table("effects", METADATA, sa.Column("id", sa.Integer, primary_key=True))
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
METHOD = "CreateProduct"


@pytest.fixture
async def db(databases, tmp_path) -> AsyncIterator[Database]:
    async with created(*await databases("requests"), METADATA, tmp_path) as database:
        yield database


def request(id: str = "r1", name: str = "Bolt", **xp: Any) -> product_service_pb2.CreateProductRequest:
    message = product_service_pb2.CreateProductRequest(request_id=id, product=product_pb2.Product(id="p", name=name))
    message.product.xp.update(xp)
    return message


def key(id: str = "r1", name: str = "Bolt", caller: Any = None, method: str = METHOD) -> RequestKey:
    found = key_of(caller or seller(), method, request(id, name))
    assert found is not None
    return found


async def call(db: Database, of: RequestKey | None, outcome: str = "first", now: datetime = NOW) -> Any:
    """A use case: claims, then has an effect unless it is a replay."""
    async with db.transaction() as tx:
        recorded = await outcomes.claim(tx, REQUESTS, of, {"id": outcome}, now)
        if recorded is None:
            await tx.execute(tx.insert(EFFECTS), {})
        return recorded


async def effect_count(db: Database) -> int:
    async with db.reading() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(EFFECTS))).scalar_one())


async def test_a_replay_gets_the_recorded_outcome_and_has_no_effect(db):
    assert await call(db, key(), "first") is None
    assert await call(db, key(), "second") == {"id": "first"}
    assert await effect_count(db) == 1


async def test_a_request_without_an_id_is_new_every_time(db):
    assert key_of(seller(), METHOD, request("")) is None
    assert await call(db, None) is None
    assert await call(db, None) is None
    assert await effect_count(db) == 2


async def test_the_id_of_another_request_is_refused(db):
    await call(db, key())
    with pytest.raises(WaybillError) as caught:
        await call(db, key(name="Nut"))

    assert (caught.value.kind.value, caught.value.reason) == ("INVALID_ARGUMENT", "REQUEST_ID_REUSED")
    assert await effect_count(db) == 1


async def test_ids_belong_to_a_company_a_user_and_a_method(db):
    for of in (
        key(),
        key(caller=seller(user="other")),
        key(caller=buyer()),
        key(caller=buyer(party="umbrella")),
        key(method="UpdateProduct"),
        key("r2"),
    ):
        assert await call(db, of) is None
    assert await effect_count(db) == 6


async def test_a_buyer_and_a_supplier_with_one_id_are_two_companies(db):
    assert await call(db, key(caller=buyer(party="acme"))) is None
    supplier = replace(buyer(party="acme"), party_kind=type(buyer().party_kind).SUPPLIER)
    assert await call(db, key(caller=supplier)) is None


async def test_companies_whose_ids_are_as_long_as_ids_may_be_are_kept_apart(db):
    first, second = (key(caller=buyer(party="x" * 99 + end)) for end in "ab")
    for of in (first, second):
        assert await call(db, of) is None
    assert await call(db, first, "again") == {"id": "first"}
    assert await effect_count(db) == 2


async def test_a_failure_that_changed_nothing_is_not_kept(db):
    async def fail() -> None:
        async with db.transaction() as tx:
            await outcomes.claim(tx, REQUESTS, key(), {"id": "x"}, NOW)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()

    assert await call(db, key()) is None
    assert await effect_count(db) == 1


async def test_a_second_call_at_the_same_time_waits_for_the_first_and_gets_its_outcome(db):
    claimed, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with db.transaction() as tx:
            assert await outcomes.claim(tx, REQUESTS, key(), {"id": "first"}, NOW) is None
            claimed.set()
            await go_on.wait()

    running = asyncio.create_task(first())
    await claimed.wait()
    second = asyncio.create_task(call(db, key(), "second"))
    await asyncio.sleep(0.1)
    assert not second.done()
    go_on.set()
    await running

    assert await second == {"id": "first"}
    assert await effect_count(db) == 0


async def test_a_second_call_at_the_same_time_takes_over_when_the_first_fails(db):
    claimed, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with db.transaction() as tx:
            await outcomes.claim(tx, REQUESTS, key(), {"id": "first"}, NOW)
            claimed.set()
            await go_on.wait()
            raise KeyError

    running = asyncio.create_task(first())
    await claimed.wait()
    second = asyncio.create_task(call(db, key(), "second"))
    await asyncio.sleep(0.05)
    go_on.set()
    with pytest.raises(KeyError):
        await running

    assert await second is None
    assert await call(db, key()) == {"id": "second"}


async def test_of_many_calls_at_once_one_has_the_effect(db):
    results = await asyncio.gather(*(call(db, key(), f"n{n}") for n in range(30)))

    winners = [n for n, result in enumerate(results) if result is None]
    assert len(winners) == 1
    assert {result["id"] for result in results if result} == {f"n{winners[0]}"}
    assert await effect_count(db) == 1


async def test_an_outcome_may_be_amended_in_its_transaction(db):
    async with db.transaction() as tx:
        assert await outcomes.claim(tx, REQUESTS, key(), {}, NOW) is None
        await outcomes.amend(tx, REQUESTS, key(), {"ids": ["a", "b"]})

    assert await call(db, key()) == {"ids": ["a", "b"]}


async def test_looking_for_an_outcome_records_none(db):
    async with db.reading() as tx:
        assert await outcomes.find(tx, REQUESTS, key()) is None
    await call(db, key())
    async with db.reading() as tx:
        assert await outcomes.find(tx, REQUESTS, key()) == {"id": "first"}


async def test_outcomes_are_forgotten_after_thirty_days(db):
    await call(db, key("old"), now=NOW - timedelta(days=30, seconds=1))
    await call(db, key("young"), now=NOW - timedelta(days=29))
    async with db.transaction() as tx:
        assert await outcomes.expire(tx, REQUESTS, NOW) == 1

    assert await call(db, key("old"), "new") is None
    assert await call(db, key("young"), "new") == {"id": "first"}


def test_the_same_request_has_the_same_digest_whatever_the_order_of_its_maps():
    a = key_of(seller(), METHOD, request(one=1, two=2))
    b = key_of(seller(), METHOD, request(two=2, one=1))
    c = key_of(seller(), METHOD, request("r2", one=1, two=2))

    assert a == b
    assert a is not None
    assert c is not None
    assert a.digest == c.digest


def test_making_a_key_leaves_the_request_as_it_is():
    message = request()
    key_of(seller(), METHOD, message)

    assert message == request()


@pytest.mark.parametrize("id", ["x" * 101, "a\nb", "\0"])
def test_an_id_must_be_short_and_printable(id):
    with pytest.raises(WaybillError) as caught:
        key_of(seller(), METHOD, request(id))

    assert [v.field for v in caught.value.fields] == ["request_id"]
