"""A disk that is full: the call fails by a typed error, nothing is half done, and all goes on when there is space."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import uuid
from pathlib import Path

import asyncpg
import grpc
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from libs.db import Database
from libs.errors import Kind, WaybillError
from tests.chaos.steps import place, provide, submit_until_accepted, until_answered
from tests.integration.libs.tables import ITEMS, METADATA, created
from tests.support import marketplace as shop
from tests.support.crashable import crashable_cluster
from tests.support.disks import Disk, tiny_disk
from tests.support.marketplace import Marketplace, marketplace
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill
from waybill_client import WaybillError as Refusal

CART = {"anvil": 1, "lamp": 1}
ENOUGH = 400
"""Orders that surely do not fit."""
TYPED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED)


async def place_until(ada: AsyncWaybill, reasons: set[str]) -> tuple[list[str], list[str]]:
    """Places orders until one fails for one of the reasons: those that were placed, and those of which nobody knows."""
    placed: list[str] = []
    unknown: list[str] = []
    for number in range(ENOUGH):
        id = f"FULL-{number}"
        try:
            await place(ada, id, CART)
            placed.append(id)
        except Refusal as error:
            assert error.code in TYPED, error
            unknown.append(id)
            if error.reason in reasons:
                return placed, unknown
    raise AssertionError(f"{ENOUGH} orders fitted onto a full disk")


async def settle(market: Marketplace, placed: list[str], unknown: list[str]) -> None:
    """Every order ends as submitted, once: those that were acknowledged at once, the others when they are asked for again."""
    ada = market.people.ada
    for id in unknown:
        with contextlib.suppress(Refusal):
            await until_answered(lambda id=id: place(ada, id, CART))  # type: ignore[misc]
        if (await finished(ada, id)).status == order_pb2.ORDER_STATUS_UNSUBMITTED:
            # The attempt was refused, for want of an answer in time: it holds nothing, and another may succeed.
            await submit_until_accepted(ada, id)
    for id in (*placed, *unknown):
        assert (await finished(ada, id)).status == order_pb2.ORDER_STATUS_OPEN
    assert sorted(await listed(ada)) == sorted([*placed, *unknown])


async def finished(ada: AsyncWaybill, id: str) -> order_pb2.Order:
    """The order once its attempt is finished."""
    async with asyncio.timeout(90):
        while not (order := await until_answered(lambda: shop.get(ada, id, shop.OUTGOING))).submission.finished:
            await asyncio.sleep(0.1)
    return order


async def listed(ada: AsyncWaybill) -> list[str]:
    found: list[str] = []
    request = order_service_pb2.ListOrdersRequest(direction=shop.OUTGOING, page_size=100)
    while True:
        answer = await ada.orders.ListOrders(request)
        found += [order.id for order in answer.orders]
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


async def assert_survives(market: Marketplace, disk: Disk) -> None:
    """Fills the disk, sees calls fail and reads succeed, gives the space back and sees everything done once."""
    await provide(market.people.owner, market.people.ada)
    await place(market.people.ada, "BEFORE", CART)
    disk.fill()
    placed, unknown = await place_until(market.people.ada, {"STORAGE_FULL"})
    assert (await shop.get(market.people.ada, "BEFORE", shop.OUTGOING)).status == order_pb2.ORDER_STATUS_OPEN
    disk.free()
    await settle(market, ["BEFORE", *placed], unknown)


async def tablespace(server: str, disk: Disk) -> str:
    """A database on the disk."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE TABLESPACE tiny LOCATION '{disk.path / 'space'}'")
        await connection.execute("CREATE DATABASE shop TABLESPACE tiny")
    finally:
        await connection.close()
    return make_url(server).set(database="shop").render_as_string(hide_password=False)


def space_of_postgres(disk: Disk) -> None:
    (disk.path / "space").mkdir(mode=0o700)
    shutil.chown(disk.path / "space", "postgres", "postgres")


async def test_sqlite_on_a_full_disk_fails_calls_and_goes_on_when_there_is_space():
    with tiny_disk(24) as disk:
        async with marketplace(disk.path, rests=True) as market:
            await assert_survives(market, disk)


async def test_postgresql_with_a_full_tablespace_fails_calls_and_goes_on_when_there_is_space(tmp_path: Path):
    with tiny_disk(48, "postgres") as disk, crashable_cluster() as cluster:
        space_of_postgres(disk)
        async with marketplace(tmp_path, await tablespace(cluster.url, disk), rests=True) as market:
            await assert_survives(market, disk)


async def test_postgresql_that_has_no_space_for_its_log_ends_and_goes_on_when_it_is_started_with_space(tmp_path: Path):
    with (
        tiny_disk(96, "postgres") as disk,
        crashable_cluster(
            ("--wal-segsize=1", "--waldir", str(disk.path / "wal")),
            ("restart_after_crash=off", "min_wal_size=2MB", "max_wal_size=1GB", "checkpoint_timeout=1h"),
        ) as cluster,
    ):
        async with marketplace(tmp_path, cluster.url, rests=True) as market:
            await provide(market.people.owner, market.people.ada)
            await place(market.people.ada, "BEFORE", CART)
            disk.fill()
            placed, unknown = await place_until(market.people.ada, {"DATABASE_UNAVAILABLE"})
            async with asyncio.timeout(30):
                while cluster.runs:
                    await asyncio.sleep(0.05)
            with pytest.raises(Refusal) as caught:
                await shop.get(market.people.ada, "BEFORE", shop.OUTGOING)
            assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
            disk.free()
            cluster.start()
            await settle(market, ["BEFORE", *placed], unknown)


async def test_a_transaction_that_does_not_fit_is_undone_and_the_next_one_works(tmp_path: Path):
    with tiny_disk(4) as disk:
        async with created(f"sqlite:///{disk.path}/items.sqlite3", None, METADATA, tmp_path) as database:
            disk.fill()
            with pytest.raises(WaybillError) as caught:
                await put(database, 2_000)
            assert (caught.value.kind, caught.value.reason) == (Kind.UNAVAILABLE, "STORAGE_FULL")
            assert await count(database) == 0
            disk.free()
            await put(database, 2_000)
            assert await count(database) == 2_000


async def put(database: Database, rows: int) -> None:
    async with database.transaction() as tx:
        await tx.execute(tx.insert(ITEMS), [{"key": uuid.uuid4(), "name": f"{n:0100}"} for n in range(rows)])


async def count(database: Database) -> int:
    async with database.reading() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(ITEMS))).scalar_one())
