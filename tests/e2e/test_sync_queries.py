"""The queries of the text that describes the product: carts before a date, orders not yet exported, then marked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf.struct_pb2 import Struct

from tests.support.marketplace import INCOMING, Marketplace, create
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import AsyncWaybill


async def listed(client: AsyncWaybill, filter: str, order_by: str) -> list[str]:
    ids: list[str] = []
    token = ""
    while True:
        page = await client.orders.ListOrders(
            order_service_pb2.ListOrdersRequest(
                direction=INCOMING, filter=filter, order_by=order_by, page_size=2, page_token=token
            )
        )
        ids += [o.id for o in page.orders]
        token = page.next_page_token
        if not token:
            return ids


@pytest.mark.on_sqlite
async def test_unsubmitted_orders_created_before_a_date_come_newest_first(shared_market: Marketplace) -> None:
    for id in ("CARTS-1", "CARTS-2", "CARTS-3"):
        await create(shared_market.people.ada, id, anvil=1)
    border = datetime.now(UTC).isoformat()
    await create(shared_market.people.ada, "CARTS-4", anvil=1)
    await shared_market.people.ada.place_order({"anvil": 1}, id="CARTS-5")
    wanted = f'id = "CARTS-*" AND status = UNSUBMITTED AND create_time < "{border}"'
    assert await listed(shared_market.people.owner, wanted, "create_time desc") == ["CARTS-3", "CARTS-2", "CARTS-1"]


@pytest.mark.on_sqlite
async def test_submitted_orders_not_yet_downloaded_are_found_marked_and_then_gone(shared_market: Marketplace) -> None:
    for id in ("SYNC-1", "SYNC-2", "SYNC-3"):
        await shared_market.people.ada.place_order({"tape": 1}, id=id)
    await create(shared_market.people.ada, "SYNC-CART", tape=1)
    missing = 'id = "SYNC-*" AND is_submitted = true AND NOT xp.downloaded = true'
    assert await listed(shared_market.people.sam, missing, "submit_time desc") == ["SYNC-3", "SYNC-2", "SYNC-1"]
    mark = Struct()
    mark.update({"downloaded": True, "system": {"order_id": "ERP-7"}})
    await shared_market.people.sam.orders.UpdateOrder(
        order_service_pb2.UpdateOrderRequest(order=order_pb2.Order(id="SYNC-2", xp=mark))
    )
    assert await listed(shared_market.people.sam, missing, "submit_time desc") == ["SYNC-3", "SYNC-1"]
    assert await listed(shared_market.people.sam, 'xp.system.order_id = "ERP-7"', "id") == ["SYNC-2"]
    assert await listed(shared_market.people.sam, "xp.downloaded = true", "id") == ["SYNC-2"]
