"""An old and a new build side by side on one database: expand, both serve, back to the old one, contract."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from libs.db import Database
from libs.db.migrate import current, revisions
from services.host.check import check
from services.host.contexts import CONTEXTS
from services.host.process.migrate import versions_of
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, SHOP, set_up
from services.host.sample.parties import People, sign_in
from tests.chaos.steps import provide
from tests.support.process import said, served
from tests.support.sealing import sealing_key_for
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2, order_service_pb2
from waybill_client import AsyncWaybill

ROOT = Path(__file__).resolve().parents[2]
TABLES = {
    "directory": "buyers",
    "catalog": "products",
    "pricing": "redemption_reservations",
    "shipping": "ship_methods",
    "payment": "payments",
    "fulfillment": "supplier_orders",
    "order": "orders",
}
"""One table of each context that the load writes."""
MIGRATION = '''"""{number}"""

from alembic import op
import sqlalchemy as sa

revision = "{number:04d}"
down_revision = "{before:04d}"
branch_labels = None
depends_on = None
min_reader = "{min_reader:04d}"


def upgrade() -> None:
    op.add_column("{table}", sa.Column("added_{number}", sa.Integer(), nullable=True))
'''


def head(context: str) -> int:
    """The newest revision of the build that is tested."""
    return int(revisions(versions_of(context)).head)


def later_build(folder: Path, steps: int) -> Path:
    """A build with further migrations in every context: the first only adds, the second shuts today's build out."""
    for part in ("services", "libs"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for context, table in TABLES.items():
        for step in range(1, steps + 1):
            number = head(context) + step
            text = MIGRATION.format(number=number, before=number - 1, min_reader=number - 1, table=table)
            (folder / "services" / context / "migrations" / "versions" / f"{number:04d}_later.py").write_text(text)
    return folder


@dataclass(slots=True)
class Load:
    """A buyer who places orders and reads each of them back, one after the other."""

    placed: list[str] = field(default_factory=list)

    async def run(self, ada: AsyncWaybill) -> None:
        """For ever; a refusal or failure ends it."""
        while True:
            request = checkout_service_pb2.PlaceOrderRequest(line_items=[line_item_pb2.LineItem(product_id="lamp", quantity=1)])
            order = (await ada.checkout.PlaceOrder(request)).order
            assert order.status == order_pb2.ORDER_STATUS_OPEN
            self.placed.append(order.id)
            await read(ada, order.id)

    async def grows(self, by: int = 3) -> None:
        """Until that many more orders are placed."""
        wanted = len(self.placed) + by
        async with asyncio.timeout(60):
            while len(self.placed) < wanted:
                await asyncio.sleep(0.02)


async def read(client: AsyncWaybill, id: str) -> order_pb2.Order:
    request = order_service_pb2.GetOrderRequest(order_id=id, direction=order_pb2.DIRECTION_OUTGOING)
    return (await client.orders.GetOrder(request)).order


@asynccontextmanager
async def under_load(address: str) -> AsyncIterator[Load]:
    """Orders are placed and read at `address` for the length of the block, and not one call fails."""
    load = Load()
    async with AsyncWaybill(address, SHOP, username="ada", password=PASSWORD) as ada:
        running = asyncio.create_task(load.run(ada))
        try:
            await load.grows()
            yield load
            await load.grows()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def revision(host: HostSettings, context: str) -> int:
    database = await Database.open(*host.database(context))
    try:
        return int((await current(database)).revision)
    finally:
        await database.close()


async def entered(address: str, secret: str) -> People:
    owner = AsyncWaybill(address, "waybill-admin", secret)
    await set_up(owner)
    people = await sign_in(address, owner)
    await provide(owner, people.ada)
    return people


async def test_a_new_build_serves_beside_the_old_one_or_after_it_and_the_old_one_can_come_back(tmp_path, database_url):
    assert set(TABLES) == set(CONTEXTS)
    data = tmp_path / "data"
    host = HostSettings(data=data, database_url=database_url, sealing_key=sealing_key_for(database_url))
    at = ["--database-url", database_url] if database_url else ["--data", str(data)]
    newer, newest = later_build(tmp_path / "newer", 1), later_build(tmp_path / "newest", 2)
    async with served(data, database_url) as old:
        secret = old.client_secret
        people = await entered(old.address, secret)
        async with under_load(old.address) as on_old:
            # Expand, while the old build goes on. SQLite's files have one server at a time, and wait for its end.
            code, _, errors = await said("migrate", *at, build=newer)
            assert (code, "in use by process" in errors) == ((0, False) if database_url else (1, True)), errors
            both = on_old.placed
            if database_url:
                async with served(data, database_url, build=newer) as new, under_load(new.address) as on_new:
                    await on_old.grows()
                    await on_new.grows()
                    both = [*on_old.placed, *on_new.placed]
                    for id in both:
                        await read(people.ada, id)
        await people.close()
    if not database_url:
        async with served(data, database_url, build=newer) as new, under_load(new.address) as on_new:
            await on_new.grows()
            both = [*both, *on_new.placed]
    for context in CONTEXTS:
        assert await revision(host, context) == head(context) + 1
    # The old build starts again on the expanded tables, and sees what both have written.
    async with served(data, database_url) as old:
        async with under_load(old.address), AsyncWaybill(old.address, SHOP, username="ada", password=PASSWORD) as ada:
            for id in both:
                assert (await read(ada, id)).id == id
        async with AsyncWaybill(old.address, "waybill-admin", secret) as owner:
            report = await check(owner)
        assert report.ok, report.findings
    # Contract: now it may not start any more, and says so.
    code, _, errors = await said("migrate", *at, build=newest)
    assert code == 0, errors
    code, output, errors = await said("serve", *at, "--bind", "127.0.0.1:0", "--log-level", "ERROR")
    assert (code, output) == (1, "")
    assert errors.startswith(f"database of directory is at {head('directory') + 2:04d} and serves builds that know")
    async with served(data, database_url, build=newest) as new, under_load(new.address):
        pass
