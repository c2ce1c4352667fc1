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
async def test_unsubmitted_orders_created_before_a_date_come_newest_first(market: Marketplace) -> None:
    for id in ("C1", "C2", "C3"):
        await create(market.cast.ada, id, anvil=1)
    border = datetime.now(UTC).isoformat()
    await create(market.cast.ada, "C4", anvil=1)
    await market.cast.ada.place_order({"anvil": 1}, id="P1")
    wanted = f'status = UNSUBMITTED AND create_time < "{border}"'
    assert await listed(market.cast.owner, wanted, "create_time desc") == ["C3", "C2", "C1"]


@pytest.mark.on_sqlite
async def test_submitted_orders_not_yet_downloaded_are_found_marked_and_then_gone(market: Marketplace) -> None:
    for id in ("P1", "P2", "P3"):
        await market.cast.ada.place_order({"tape": 1}, id=id)
    await create(market.cast.ada, "CART", tape=1)
    missing = "is_submitted = true AND NOT xp.downloaded = true"
    assert await listed(market.cast.sam, missing, "submit_time desc") == ["P3", "P2", "P1"]
    mark = Struct()
    mark.update({"downloaded": True, "system": {"order_id": "ERP-7"}})
    await market.cast.sam.orders.UpdateOrder(order_service_pb2.UpdateOrderRequest(order=order_pb2.Order(id="P2", xp=mark)))
    assert await listed(market.cast.sam, missing, "submit_time desc") == ["P3", "P1"]
    assert await listed(market.cast.sam, 'xp.system.order_id = "ERP-7"', "id") == ["P2"]
    assert await listed(market.cast.sam, "xp.downloaded = true", "id") == ["P2"]
