"""What is read in several statements is as it was at one moment, whatever commits between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.order.adapters.db.order_store import SqlOrderStore
from services.order.adapters.db.submission.submission_store import SqlSubmissionStore
from tests.e2e.steps import card
from tests.support.marketplace import OUTGOING, Marketplace, create, marketplace
from tests.support.prepared import Prepared
from waybill.order.v1 import (
    checkout_service_pb2,
    line_item_pb2,
    line_item_service_pb2,
    order_pb2,
    order_service_pb2,
    submission_pb2,
)
from waybill.payment.v1 import payment_pb2
from waybill_client import AsyncWaybill, WaybillError

Seen = tuple[int, int]
"""The version of an order, and the quantity of its line."""


async def of_order(client: AsyncWaybill, id: str) -> Seen:
    answer = await client.orders.GetOrder(
        order_service_pb2.GetOrderRequest(order_id=id, direction=OUTGOING, include_line_items=True)
    )
    return answer.order.version, answer.line_items[0].quantity


async def of_tree(client: AsyncWaybill, id: str) -> Seen:
    answer = await client.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=id))
    return answer.order.version, answer.line_items[0].quantity


async def of_worksheet(client: AsyncWaybill, id: str) -> Seen:
    answer = await client.checkout.GetWorksheet(checkout_service_pb2.GetWorksheetRequest(order_id=id))
    return answer.worksheet.order.version, answer.worksheet.line_items[0].quantity


@pytest.mark.on_sqlite
async def test_an_order_and_its_lines_are_of_one_moment(idle_market: Marketplace, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, lines = idle_market.people.ada, SqlOrderStore.lines
    pending: list[tuple[str, int]] = []

    async def lines_after_a_change(*given: Any) -> Any:
        # The order has been read, its lines not yet.
        if pending:
            id, quantity = pending.pop()
            changed = line_item_pb2.LineItem(id="l1", quantity=quantity)
            await ada.line_items.UpdateLineItems(line_item_service_pb2.UpdateLineItemsRequest(order_id=id, line_items=[changed]))
        return await lines(*given)

    monkeypatch.setattr(SqlOrderStore, "lines", lines_after_a_change)
    for read in (of_order, of_tree, of_worksheet):
        id = f"MOVING-{read.__name__}"
        await create(ada, id, anvil=1)
        pending.append((id, 7))
        assert await read(ada, id) == (1, 1)
        assert await read(ada, id) == (2, 7)


@pytest.fixture
async def impatient_market(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Marketplace]:
    """One in which nobody waits for the decision of an attempt that another call began."""
    at_once = {"attempt_lease": 0.0}
    async with marketplace(tmp_path, prepared.database_url, secret=prepared.secret, order=at_once) as made:
        yield made


@pytest.mark.on_sqlite
async def test_a_repeat_that_looks_while_its_attempt_is_refused_does_not_take_it_for_placed(
    impatient_market: Marketplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = impatient_market.people.ada
    await card(impatient_market, "mute", "tok_timeout")
    request = checkout_service_pb2.PlaceOrderRequest(
        order=order_pb2.Order(id="TORN"),
        line_items=[line_item_pb2.LineItem(product_id="anvil", quantity=1)],
        payments=[payment_pb2.Payment(type="credit_card", credit_card_id="mute")],
        request_id="torn",
    )
    trying = submission_pb2.SUBMISSION_STATE_TRYING
    assert (await ada.checkout.PlaceOrder(request)).order.submission.state == trying
    get, pending = SqlSubmissionStore.get, [order_service_pb2.CancelOrderRequest(order_id="TORN")]

    async def get_before_a_cancel(*given: Any, **options: Any) -> Any:
        # The attempt has been read, its order not yet.
        found = await get(*given, **options)
        if pending:
            await ada.orders.CancelOrder(pending.pop())
        return found

    monkeypatch.setattr(SqlSubmissionStore, "get", get_before_a_cancel)
    assert (await ada.checkout.PlaceOrder(request)).order.submission.state == trying
    with pytest.raises(WaybillError) as refused:
        await ada.checkout.PlaceOrder(request)
    assert refused.value.reason == "SUBMIT_REFUSED"
