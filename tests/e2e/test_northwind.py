"""Real orders with known totals, replayed through the real calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from libs.db.tuning import Tuning
from services.host.check import check
from services.host.northwind import captures, included_tax
from services.host.northwind.figures import KNOWN, expected, measured
from services.host.northwind.files import Northwind, Row, country, read
from services.host.northwind.replay import employees, replay
from services.host.northwind.setup import load
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.remote.servers import Servers
from tests.support.sealing import sealing_key_for
from waybill.fulfillment.v1 import supplier_order_pb2
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill

DATA = read(Path(__file__).resolve().parents[1] / "data" / "northwind")
WIDEST = "11077"


def some(count: int) -> list[Row]:
    """A sample over the years, the widest order among it."""
    step = len(DATA.orders) // count
    return [o for i, o in enumerate(DATA.orders) if i % step == 0 or o["order_id"] == WIDEST]


@asynccontextmanager
async def replayed(
    folder: Path, url: str, orders: list[Row], forward: bool, included: Decimal | None = None, by_card: bool = False
) -> AsyncIterator[AsyncWaybill]:
    """A marketplace in which these orders have been replayed; its invariants are checked."""
    async with running(
        HostSettings(data=folder, database_url=url, sealing_key=sealing_key_for(url), tuning=Tuning(pool_size=8))
    ) as host:
        assert host.secret is not None
        owner = AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret)
        await load(owner, DATA, "seller", included, by_card)
        clients = await employees(owner, Servers(host.address, {}), DATA)
        await replay(clients, DATA, orders, lambda: None, forward=forward, by_card=by_card)
        yield owner
        report = await check(owner)
        assert report.ok, [(f.rule, f.subject, f.detail) for f in report.findings]
        for client in (owner, *clients.values()):
            await client.close()


def test_the_files_hold_what_their_readme_states() -> None:
    assert expected(DATA, DATA.orders) == KNOWN


@pytest.mark.parametrize(("name", "code"), [("UK", "GB"), ("USA", "US"), ("Venezuela", "VE"), ("Germany", "DE")])
def test_country_names_become_iso_codes(name: str, code: str) -> None:
    assert country(name) == code


@pytest.mark.on_sqlite(long=True)
@pytest.mark.parametrize("count", [5, pytest.param(40, marks=pytest.mark.long)])
async def test_a_replay_reproduces_every_figure_to_the_cent(tmp_path: Path, database_url: str, count: int) -> None:
    orders = some(count)
    async with replayed(tmp_path, database_url, orders, forward=True) as owner:
        assert await measured(owner) == expected(DATA, orders)


@pytest.mark.parametrize("count", [5, pytest.param(830, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
async def test_prices_that_include_a_tax_leave_every_figure_and_the_tax_of_every_line_is_right_to_the_cent(
    tmp_path: Path, count: int
) -> None:
    orders = some(count)
    async with replayed(tmp_path, "", orders, forward=True, included=included_tax.RATE) as owner:
        assert await measured(owner) == expected(DATA, orders)
        taxes = await included_tax.compared(owner, DATA, orders)
        assert (taxes.differences, taxes.lines, taxes.total > 0) == ((), expected(DATA, orders).lines, True)


@pytest.mark.parametrize("count", [5, pytest.param(830, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
async def test_cards_are_charged_what_has_left_of_each_order_to_the_cent(tmp_path: Path, count: int) -> None:
    orders = some(count)
    async with replayed(tmp_path, "", orders, forward=True, by_card=True) as owner:
        charged = await captures.compared(owner, DATA, orders)
        assert (charged.differences, charged.orders, charged.total > 0) == ((), len(orders), True)


@pytest.mark.long
async def test_a_replay_that_is_repeated_changes_nothing(tmp_path: Path) -> None:
    orders = some(6)
    async with running(HostSettings(data=tmp_path)) as host:
        assert host.secret is not None
        owner = AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret)
        for _ in range(2):
            await load(owner, DATA, "seller")
            clients = await employees(owner, Servers(host.address, {}), DATA)
            await replay(clients, DATA, orders, lambda: None)
        assert await measured(owner) == expected(DATA, orders)


async def test_an_order_of_many_suppliers_that_is_not_forwarded_is_fulfilled_by_the_seller(
    tmp_path: Path, database_url: str
) -> None:
    order = next(o for o in DATA.orders if o["shipped_date"] and len(suppliers(DATA, o)) > 2)
    async with replayed(tmp_path, database_url, [order], forward=False) as owner:
        tree = await owner.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=order["order_id"]))
        assert tree.order.status == order_pb2.ORDER_STATUS_COMPLETED
        (only,) = tree.supplier_orders
        assert (only.implicit, only.supplier_id) == (True, "")
        assert only.status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_COMPLETED
        assert only.total == tree.order.total


def suppliers(data: Northwind, order: Row) -> set[str]:
    """Suppliers of an order's products."""
    of = {p["product_id"]: p["supplier_id"] for p in data.products}
    return {of[line.product_id] for line in data.lines[order["order_id"]]}
