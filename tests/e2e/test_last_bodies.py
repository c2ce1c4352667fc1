"""What orders were last goes in its time after their deletion; that they were deleted is known for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from libs.clock import ShiftedClock
from services.host.check import check
from services.order.adapters.db.tables import DELETED_ORDERS
from tests.e2e.test_order_deletes import deletion, events
from tests.support.marketplace import Marketplace, create, marketplace
from tests.support.prepared import Prepared
from tests.support.rest import broken
from waybill.changes.v1 import change_service_pb2 as changes_pb

DAY = timedelta(days=1)


async def bodies(market: Marketplace, ids: set[str]) -> dict[str, str]:
    """Ids in the last bodies that come with the deletions of orders; empty where none comes."""
    found: dict[str, str] = {}
    request = changes_pb.WatchChangesRequest(context="order", from_start=True)
    async with asyncio.timeout(30):
        async for message in market.people.owner.changes.WatchChanges(request):
            change = message.change
            if change.method == "order_deleted":
                sent = change.HasField("deleted_body")
                found[change.resource_id] = change.deleted_body.fields["id"].string_value if sent else ""
            if ids <= found.keys():
                break
    return found


@pytest.mark.on_sqlite
async def test_last_bodies_are_forgotten_from_the_oldest_on_and_one_that_is_lost_is_found(
    tmp_path: Path, prepared: Prepared
) -> None:
    clock = ShiftedClock()
    async with marketplace(tmp_path, prepared.database_url, clock, background=False, secret=prepared.secret) as made:
        ada, app = made.people.ada, made.host.apps["order"]
        forget = {loop.name: loop.once for loop in app.background}["forget_bodies"]
        for id in ("FIRST", "SECOND", "THIRD"):
            await create(ada, id, anvil=1)
            await ada.orders.DeleteOrder(deletion(id))
            clock.advance(10 * DAY)
        await forget()
        assert await bodies(made, {"FIRST", "SECOND", "THIRD"}) == {"FIRST": "", "SECOND": "SECOND", "THIRD": "THIRD"}
        assert await events(ada, "FIRST") == ["order_created", "order_deleted"]
        assert not broken(await check(made.people.owner))

        assert app.database is not None
        third = sa.select(DELETED_ORDERS.c.body).where(DELETED_ORDERS.c.id == "THIRD")
        tampering = sa.update(DELETED_ORDERS).where(DELETED_ORDERS.c.id == "THIRD")
        async with app.database.transaction() as tx:
            body = (await tx.execute(third)).scalar_one()
            await tx.execute(tampering.values(body=sa.null()))
        found = (await check(made.people.owner)).findings
        assert [(one.rule, one.subject) for one in found] == [("deleted_order_is_its_last_body", "THIRD")]
        async with app.database.transaction() as tx:
            await tx.execute(tampering.values(body=body))
        clock.advance(30 * DAY)
        await forget()
        assert await bodies(made, {"FIRST", "SECOND", "THIRD"}) == dict.fromkeys(("FIRST", "SECOND", "THIRD"), "")
