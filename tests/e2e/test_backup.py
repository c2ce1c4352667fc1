"""Backup: one consistent cut while everything goes on. Restore: the same marketplace, in empty databases only."""

# Long because every case shares the marketplaces and the way to compare them.
from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from libs.db import Database
from libs.db.tuning import Tuning
from libs.errors import WaybillError as Refused
from services.host.backup.archive import digest, read
from services.host.backup.consistent_cut import backup
from services.host.backup.restore import restore
from services.host.backup.sqlite import connect
from services.host.check import check
from services.host.check.reconcile import reconcile
from services.host.check.subjects import ATTEMPT
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.parties import sign_in
from tests.e2e.steps import card, ready, until
from tests.support.marketplace import ALL, INCOMING, Marketplace, create
from tests.support.process import said
from tests.support.rest import at_rest
from tests.support.sealing import sealing_key_for
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2, shipment_pb2, shipment_service_pb2, supplier_order_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as pb
from waybill.order.v1 import checkout_service_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import AsyncWaybill, WaybillError

Watch = order_service_pb2.WatchOrdersRequest


async def waybill(command: str, archive: Path, data: Path, url: str) -> tuple[int, dict[str, Any]]:
    """Runs a command in a process of its own: exit code and what it said."""
    where = ["--database-url", url] if url else ["--data", str(data)]
    code, output, _ = await said(command, str(archive), "--json", *where)
    return code, json.loads(output)


@asynccontextmanager
async def served_again(market: Marketplace, data: Path, url: str) -> AsyncIterator[Marketplace]:
    """Serves what was restored; everyone signs in with the secrets they had. Ends with the invariant check."""
    settings = HostSettings(data=data, database_url=url, sealing_key=sealing_key_for(url), tuning=Tuning(pool_size=8))
    async with running(settings) as host:
        assert host.secret is None
        owner = AsyncWaybill(host.address, "waybill-admin", market.secret.client_secret)
        again = Marketplace(host, await sign_in(host.address, owner), market.secret, url)
        try:
            yield again
            await again.check()
        finally:
            await again.people.close()


async def orders(client: AsyncWaybill) -> set[str]:
    """Ids of all orders that the client sees."""
    found: set[str] = set()
    request = order_service_pb2.ListOrdersRequest(direction=ALL, page_size=100)
    while True:
        answer = await client.orders.ListOrders(request)
        found |= {order.id for order in answer.orders}
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


async def events(client: AsyncWaybill, request: Watch, last: str = "") -> tuple[list[tuple[str, int]], str]:
    """Events up to the first of the order `last`, or up to the next checkpoint; and the token."""
    found: list[tuple[str, int]] = []
    async with asyncio.timeout(60):
        async for message in client.orders.WatchOrders(request):
            if message.HasField("event"):
                found.append((message.event.order_id, message.event.sequence))
                if message.event.order_id == last:
                    break
            elif not last:
                break
    return found, message.resume_token


async def everything_that_happened(client: AsyncWaybill, *orders: str) -> list[tuple[str, int]]:
    """The events of orders, by their histories."""
    found: list[tuple[str, int]] = []
    for id in orders:
        request = order_service_pb2.ListOrderHistoryRequest(order_id=id, direction=INCOMING, page_size=100)
        found += [(id, event.sequence) for event in (await client.orders.ListOrderHistory(request)).events]
    return sorted(found)


async def restock(market: Marketplace) -> None:
    adjustments = [
        inventory_service_pb2.StockAdjustment(
            inventory_record_id=record, kind=inventory_pb2.STOCK_MOVEMENT_KIND_RECEIVE, change=100_000
        )
        for record in ("tape-wh-east", "tongs-northforge")
    ]
    await market.people.owner.inventory.AdjustStock(inventory_service_pb2.AdjustStockRequest(adjustments=adjustments))


async def ship(clerk: AsyncWaybill, supplier_order: supplier_order_pb2.SupplierOrder) -> None:
    shipment = shipment_pb2.Shipment(
        items=[
            shipment_pb2.ShipmentItem(supplier_order_id=supplier_order.id, line_item_id=line.line_item_id, quantity=line.quantity)
            for line in supplier_order.line_items
        ]
    )
    shipment.ship_time.GetCurrentTime()
    await clerk.shipments.CreateShipment(shipment_service_pb2.CreateShipmentRequest(shipment=shipment))


class Load:
    """Buyers and suppliers that work until the test stops them. No call of theirs may fail."""

    def __init__(self, market: Marketplace) -> None:
        self._market = market
        self._stop = False
        self._tasks: list[asyncio.Task[None]] = []
        self.placed: list[str] = []
        self.shipped: list[str] = []

    async def _place(self, name: str) -> None:
        number = 0
        while not self._stop:
            number += 1
            order = await self._market.people.ada.place_order({"tape": 1, "tongs": 2}, id=f"{name}-{number}")
            self.placed.append(order.id)

    async def _ship(self, supplier: str) -> None:
        clerk = self._market.people.clerks[supplier]
        token = ""
        while not self._stop:
            page = await clerk.supplier_orders.ListSupplierOrders(
                pb.ListSupplierOrdersRequest(page_size=5, page_token=token, order_by="id")
            )
            for mine in page.supplier_orders:
                if mine.id not in self.shipped:
                    await ship(clerk, mine)
                    self.shipped.append(mine.id)
            token = page.next_page_token

    async def some(self, count: int) -> None:
        """Until so many more orders are placed."""
        wanted = len(self.placed) + count
        while len(self.placed) < wanted:
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)

    async def __aenter__(self) -> Load:
        work = [self._place(f"L{n}") for n in range(4)] + [self._ship(s) for s in ("wh-east", "northforge")]
        self._tasks = [asyncio.create_task(part) for part in work]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop = True
        await asyncio.gather(*self._tasks)


@pytest.mark.on_sqlite(long=True)
async def test_a_backup_under_load_fails_no_call_and_is_one_consistent_state(
    market: Marketplace, tmp_path: Path, other_database_url: str
) -> None:
    await restock(market)
    archive, data = tmp_path / "archive", tmp_path / "restored"
    async with Load(market) as load:
        await load.some(15)
        before, shipped = set(load.placed), set(load.shipped)
        code, made = await waybill("backup", archive, tmp_path, market.database_url)
        assert code == 0, made
        await load.some(5)
    code, back = await waybill("restore", archive, data, other_database_url)
    assert (code, back["made"], back["contexts"]) == (0, made["made"], made["contexts"])
    assert all(path.stat().st_mode & 0o077 == 0 for path in [archive, *archive.rglob("*")])
    async with served_again(market, data, other_database_url) as again:
        there = await orders(again.people.sam)
        assert before <= there
        assert there < await orders(market.people.sam)
        for id in shipped:
            answer = await again.people.sam.supplier_orders.GetSupplierOrder(pb.GetSupplierOrderRequest(supplier_order_id=id))
            assert answer.supplier_order.status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_COMPLETED
        await again.people.ada.place_order({"tape": 1, "tongs": 2}, id="AFTER")


async def age(data: Path, url: str) -> None:
    """Makes the feed look as if its cluster had run a thousand million transactions before."""
    if url:
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE waybill_order.order_events SET xact = xact + 1000000000")
        await connection.close()
    else:
        with closing(connect(data / "order.sqlite3")) as file:
            file.execute("UPDATE order_events SET xact = 0")


@pytest.mark.on_sqlite
async def test_after_a_restore_the_feed_has_every_event_once_and_then_the_new_ones(
    market: Marketplace, tmp_path: Path, other_database_url: str
) -> None:
    archive, data = tmp_path / "archive", tmp_path / "restored"
    everything = Watch(direction=INCOMING, from_start=True)
    for id in ("ONE", "TWO"):
        await market.people.ada.place_order({"tape": 1}, id=id)
    await at_rest(lambda: check(market.people.owner), 90.0)
    happened = await everything_that_happened(market.people.sam, "ONE", "TWO")
    async with asyncio.timeout(60):
        # Others' transactions on the same server may keep the last ones from being served yet.
        while sorted((await events(market.people.sam, everything))[0]) != happened:
            await asyncio.sleep(0.05)
    received, token = await events(market.people.sam, everything)
    assert sorted(received) == happened
    await age(tmp_path, market.database_url)
    assert (await waybill("backup", archive, tmp_path, market.database_url))[0] == 0
    assert (await waybill("restore", archive, data, other_database_url))[0] == 0
    async with served_again(market, data, other_database_url) as again:
        with pytest.raises(WaybillError) as refused:
            await events(again.people.sam, Watch(direction=INCOMING, resume_token=token))
        assert refused.value.reason == "RESUME_TOKEN_EXPIRED"
        async with asyncio.timeout(60):
            while sorted((found := await events(again.people.sam, everything))[0]) != happened:
                await asyncio.sleep(0.05)
        token = found[1]
        await again.people.ada.place_order({"tape": 1}, id="THREE")
        new, _ = await events(again.people.sam, Watch(direction=INCOMING, resume_token=token), "THREE")
        assert [order for order, _ in new] == ["THREE"]


@pytest.mark.on_sqlite
async def test_an_archive_with_one_changed_byte_is_refused(market: Marketplace, tmp_path: Path, other_database_url: str) -> None:
    archive, data = tmp_path / "archive", tmp_path / "restored"
    await create(market.people.ada, "CART", anvil=1)
    assert (await waybill("backup", archive, tmp_path, market.database_url))[0] == 0
    for path in (archive / "manifest.json", max(archive.rglob("*"), key=lambda p: p.stat().st_size)):
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        code, answer = await waybill("restore", archive, data, other_database_url)
        assert (code, answer["error"]["reason"]) == (2, "ARCHIVE_INVALID")
        assert path.name in answer["error"]["message"]
        path.write_bytes(content)
    os.unlink(archive / "SHA256SUMS")
    code, answer = await waybill("restore", archive, data, other_database_url)
    assert (code, answer["error"]["reason"]) == (2, "ARCHIVE_INVALID")
    assert not data.exists()


@pytest.mark.on_sqlite
async def test_what_an_archive_says_falsely_is_noticed_and_nothing_of_it_is_kept(
    market: Marketplace, tmp_path: Path, other_database_url: str
) -> None:
    archive, data = tmp_path / "archive", tmp_path / "restored"
    await market.people.ada.place_order({"tape": 1}, id="TRUE")
    assert (await waybill("backup", archive, tmp_path, market.database_url))[0] == 0
    manifest = (archive / "manifest.json").read_text()
    more_rows, unknown = json.loads(manifest), json.loads(manifest)
    more_rows["contexts"]["order"]["tables"]["orders"]["rows"] += 1
    unknown["contexts"]["order"]["revision"] = "9999"
    for wrong, reason in ((more_rows, "ARCHIVE_INVALID"), (unknown, "ARCHIVE_NEWER")):
        describe(archive, json.dumps(wrong))
        code, answer = await waybill("restore", archive, data, other_database_url)
        assert (code, answer["error"]["reason"]) == (2, reason)
    describe(archive, manifest)
    assert (await waybill("restore", archive, data, other_database_url))[0] == 0
    async with served_again(market, data, other_database_url) as again:
        assert {"TRUE", "TRUE-1"} <= await orders(again.people.sam)


def describe(archive: Path, manifest: str) -> None:
    """Gives an archive another manifest, and sums that fit it."""
    (archive / "manifest.json").write_text(manifest)
    others = [line for line in (archive / "SHA256SUMS").read_text().splitlines() if not line.endswith("manifest.json")]
    sums = [*others, f"{digest(archive / 'manifest.json')}  manifest.json", ""]
    (archive / "SHA256SUMS").write_text("\n".join(sums))


@pytest.mark.on_sqlite(long=True)
async def test_contexts_in_databases_of_their_own_are_restored_and_cut_together(
    market: Marketplace, tmp_path: Path, other_database_url: str, cluster_database: str
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    own = cluster_database if market.database_url else f"sqlite:///{tmp_path / 'elsewhere' / 'order.sqlite3'}"
    apart = HostSettings(
        data=tmp_path / "restored",
        database_url=other_database_url,
        sealing_key=sealing_key_for(other_database_url),
        services={"order": {"database_url": own}},
    )
    await market.people.ada.place_order({"tape": 1, "lamp": 2}, id="APART")
    await backup(HostSettings(data=tmp_path, database_url=market.database_url), first, lambda *_: None)
    await restore(apart, first, lambda *_: None)
    await backup(apart, second, lambda *_: None)
    assert rows(second) == rows(first)
    assert rows(first)["order"]["orders"] == 3


FEED_EPOCHS = ("order_feed_epochs", "change_feed")
"""Tables in which a restore notes that it was."""


def rows(archive: Path) -> dict[str, dict[str, int]]:
    """Rows by context and table, but for what a restore adds."""
    contexts = read(archive).contexts
    return {
        context: {name: table.rows for name, table in part.tables.items() if name not in FEED_EPOCHS}
        for context, part in contexts.items()
    }


@pytest.mark.on_sqlite
async def test_a_database_that_has_rows_is_not_restored_into(market: Marketplace, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    assert (await waybill("backup", archive, tmp_path, market.database_url))[0] == 0
    await create(market.people.ada, "CART", anvil=1)
    code, answer = await waybill("restore", archive, tmp_path, market.database_url)
    assert (code, answer["error"]["reason"]) == (2, "DATABASE_NOT_EMPTY")
    assert "CART" in await orders(market.people.ada)


@pytest.mark.on_sqlite(long=True)
async def test_a_transaction_that_stays_open_makes_the_backup_give_up_and_nobody_else(
    market: Marketplace, tmp_path: Path
) -> None:
    archive, settings = tmp_path / "archive", HostSettings(data=tmp_path, database_url=market.database_url, backup_tries=2)
    database = await Database.open(*settings.database("catalog"))
    async with database.transaction() as tx:
        await tx.execute(sa.text("DELETE FROM products WHERE id = 'none'"))
        with pytest.raises(Refused) as refused:
            await backup(settings, archive, lambda *_: None)
        await market.people.ada.place_order({"tape": 1}, id="MEANWHILE")
    await database.close()
    assert (refused.value.reason, archive.exists()) == ("BACKUP_CONTENDED", False)
    assert (await backup(settings, archive, lambda *_: None)).manifest.contexts["order"].tables["orders"].rows == 2


async def test_an_archive_is_not_written_over_another_nor_restored_into_another_kind_of_database(
    sqlite_market: Marketplace, tmp_path: Path, cluster_database: str
) -> None:
    archive = tmp_path / "archive"
    assert (await waybill("backup", archive, tmp_path, ""))[0] == 0
    code, answer = await waybill("backup", archive, tmp_path, "")
    assert (code, answer["error"]["reason"]) == (2, "ARCHIVE_EXISTS")
    code, answer = await waybill("restore", archive, tmp_path, cluster_database)
    assert (code, answer["error"]["reason"]) == (2, "ENGINE_MISMATCH")
    code, answer = await waybill("backup", tmp_path / "none", tmp_path, cluster_database)
    assert (code, answer["error"]["reason"]) == (2, "DATABASE_MISSING")
    assert not (tmp_path / "none").exists()


@pytest.mark.on_sqlite(long=True)
async def test_a_submit_that_was_under_way_at_the_cut_is_brought_to_its_end_by_check_reconcile(
    market: Marketplace, tmp_path: Path, other_database_url: str
) -> None:
    archive, data = tmp_path / "archive", tmp_path / "restored"
    await card(market, "slow", "tok_late")
    await ready(market.people.ada, "LATE", [payment_pb2.Payment(type="credit_card", credit_card_id="slow")], anvil=1)
    await market.people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="LATE"))
    await backup(HostSettings(data=tmp_path, database_url=market.database_url), archive, lambda *_: None)
    assert await until(market.people.ada, "LATE", order_pb2.ORDER_STATUS_OPEN)
    assert (await waybill("restore", archive, data, other_database_url))[0] == 0
    sealing_key = sealing_key_for(other_database_url)
    settings = HostSettings(data=data, database_url=other_database_url, sealing_key=sealing_key, background=False)
    secret = market.secret.client_secret
    async with running(settings) as idle, AsyncWaybill(idle.address, "waybill-admin", secret) as owner:
        left = await reconcile(owner, [], 0, lambda _: None)
    assert left[ATTEMPT] == 1
    async with served_again(market, data, other_database_url) as again:
        access = ("--server", again.address, "--client-secret", secret)
        code, output, errors = await said("check", "--reconcile", *access)
        assert code == 0, output
        assert "invariants OK" in output
        assert errors.splitlines()[-1] == "nothing is under way"
        assert await until(again.people.ada, "LATE", order_pb2.ORDER_STATUS_OPEN)
