"""What is read in several statements is as it was at one moment, whatever commits between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.order.adapters.db.order_store import SqlOrderStore
from tests.support.marketplace import OUTGOING, Marketplace, create
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, line_item_service_pb2, order_service_pb2
from waybill_client import AsyncWaybill

Seen = tuple[int, int]
"""The version of an order, and the quantity of its line."""


async def of_order(client: AsyncWaybill) -> Seen:
    answer = await client.orders.GetOrder(
        order_service_pb2.GetOrderRequest(order_id="MOVING", direction=OUTGOING, include_line_items=True)
    )
    return answer.order.version, answer.line_items[0].quantity


async def of_tree(client: AsyncWaybill) -> Seen:
    answer = await client.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id="MOVING"))
    return answer.order.version, answer.line_items[0].quantity


async def of_worksheet(client: AsyncWaybill) -> Seen:
    answer = await client.checkout.GetWorksheet(checkout_service_pb2.GetWorksheetRequest(order_id="MOVING"))
    return answer.worksheet.order.version, answer.worksheet.line_items[0].quantity


@pytest.mark.parametrize("read", [of_order, of_tree, of_worksheet])
async def test_an_order_and_its_lines_are_of_one_moment(
    market: Marketplace, monkeypatch: pytest.MonkeyPatch, read: Callable[[AsyncWaybill], Awaitable[Seen]]
) -> None:
    ada = market.cast.ada
    await create(ada, "MOVING", anvil=1)
    lines, pending = SqlOrderStore.lines, [7]

    async def lines_after_a_change(*given: Any) -> Any:
        # The order has been read, its lines not yet.
        if pending:
            changed = line_item_pb2.LineItem(id="l1", quantity=pending.pop())
            await ada.line_items.UpdateLineItems(
                line_item_service_pb2.UpdateLineItemsRequest(order_id="MOVING", line_items=[changed])
            )
        return await lines(*given)

    monkeypatch.setattr(SqlOrderStore, "lines", lines_after_a_change)
    assert await read(ada) == (1, 1)
    assert await read(ada) == (2, 7)
