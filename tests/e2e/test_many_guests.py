"""What many guests leave behind who come, fill a cart and never come again: events, and what keeps ids and late calls apart."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Iterator
from datetime import timedelta
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import grpc
import psutil
import pytest
import sqlalchemy as sa

from libs.clock import ShiftedClock
from services.order.adapters.db.tables import DELETED_ORDERS
from tests.support.guests import WEB, open_to_guests
from tests.support.marketplace import Marketplace, lines, marketplace
from tests.support.prepared import Prepared
from waybill.directory.v1 import token_service_pb2, token_service_pb2_grpc
from waybill.order.v1 import cart_service_pb2, cart_service_pb2_grpc

AT_ONCE = 8
DEADLINE = 60.0
"""Seconds for each call of a guest: one that is never answered fails the test instead of keeping it for ever."""
CONTEXTS = ("directory", "catalog", "pricing", "shipping", "fulfillment", "payment", "order")

Answer = TypeVar("Answer")


async def rows(market: Marketplace) -> Counter[str]:
    """How many each table of each context has."""
    found: Counter[str] = Counter()
    for context in CONTEXTS:
        database = market.host.apps[context].database
        assert database is not None
        metadata: sa.MetaData = import_module(f"services.{context}.adapters.db.tables").METADATA
        counts = [sa.select(sa.func.count()).select_from(table).label(name) for name, table in metadata.tables.items()]
        async with database.reading() as tx:
            row = (await tx.execute(sa.select(*counts))).mappings().one()
        found.update({f"{context}.{name.rpartition('.')[2]}": number for name, number in row.items()})
    return found


async def fill_carts(market: Marketplace, count: int) -> None:
    """So many guests, a few at the same time, each with a token of its own and two lines."""
    async with grpc.aio.insecure_channel(market.address) as channel:
        tokens = token_service_pb2_grpc.TokenServiceStub(channel)  # type: ignore[no-untyped-call]
        carts = cart_service_pb2_grpc.CartServiceStub(channel)  # type: ignore[no-untyped-call]
        entry = token_service_pb2.IssueTokenRequest(client_id=WEB, guest=token_service_pb2.GuestGrant())

        async def answered(call: Awaitable[Answer], name: str) -> Answer:
            # Not gRPC's deadline alone: that is of no use where what gets lost is the wake-up of this loop.
            try:
                async with asyncio.timeout(DEADLINE):
                    return await call
            except TimeoutError:
                pytest.fail(f"{name} was not answered within {DEADLINE:.0f} seconds")

        async def come(those: Iterator[int]) -> None:
            for n in those:
                token = (await answered(tokens.IssueToken(entry), f"IssueToken of guest {n}")).access_token
                request = cart_service_pb2.AddCartItemsRequest(line_items=lines(tongs=1, anvil=2), request_id=f"fill-{n}")
                add = carts.AddCartItems(request, metadata=[("authorization", f"Bearer {token}")])
                await answered(add, f"AddCartItems of guest {n}")

        guests = iter(range(count))
        await asyncio.gather(*(come(guests) for _ in range(AT_ONCE)))


@pytest.mark.on_sqlite
@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])])
async def test_of_many_guests_who_never_come_again_no_order_stays(tmp_path: Path, prepared: Prepared, count: int) -> None:
    clock, rss = ShiftedClock(), psutil.Process().memory_info
    settings: dict[str, Any] = {"clock": clock, "background": False, "secret": prepared.secret, "order": {"sweep_rest": 0.0}}
    async with marketplace(tmp_path, prepared.database_url, **settings) as made:
        await open_to_guests(made)
        loops = {loop.name: loop.once for context in ("payment", "order") for loop in made.host.apps[context].background}
        found, megabytes, seconds = [await rows(made)], [rss().rss >> 20], [time.monotonic()]

        async def measure() -> Counter[str]:
            found.append(await rows(made))
            megabytes.append(rss().rss >> 20)
            seconds.append(time.monotonic())
            return found[-1] - found[0]

        await fill_carts(made, count)
        filled = await measure()
        assert (filled["order.orders"], filled["order.line_items"]) == (count, 2 * count)
        clock.advance(timedelta(days=8))
        assert await loops["sweep"]() == count
        known = {"payment.payment_orders": count, "payment.payment_attempts": count}
        history = {"order.order_events": 2 * count, "order.deleted_orders": count}
        assert await measure() == {**history, **known, "order.deleted_ids": count, "order.requests": count}
        clock.advance(timedelta(days=31))
        for name in ("forget", "forget_bodies", "forget_gone_orders"):
            await loops[name]()
        assert await measure() == history
        bodies = sa.select(sa.func.count()).where(DELETED_ORDERS.c.body.is_not(None))
        database = made.host.apps["order"].database
        assert database is not None
        async with database.reading() as tx:
            assert (await tx.execute(bodies)).scalar_one() == 0
    changed = {table: counts for table in found[2] | found[1] if len(set(counts := [one[table] for one in found])) > 1}
    figures = {"rows": changed, "megabytes": megabytes, "seconds": [round(b - a, 1) for a, b in pairwise(seconds)]}
    sys.stdout.write(f"{count} guests; before, with carts, swept, forgotten: {figures}\n")
