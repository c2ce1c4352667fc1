"""A deadlock or a serialization failure undoes a transaction, not the call: it is done again, and its caller hears nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from libs.rpc.counters import served
from tests.e2e.steps import promise, ready, ship
from tests.support.marketplace import Marketplace, create, get
from waybill.order.v1 import checkout_service_pb2, order_pb2, order_service_pb2

UNDONE = 2
"""How often each is undone before it succeeds."""


@asynccontextmanager
async def undone(market: Marketplace, when: str, code: str) -> AsyncIterator[None]:
    """The order service's database undoes the first transactions that do this. What a sequence counts is not undone."""
    database = market.host.apps["order"].database
    assert database is not None
    async with database.transaction() as tx:
        for statement in (
            "CREATE SEQUENCE undoing",
            "CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF nextval('undoing') <= {UNDONE} THEN RAISE EXCEPTION 'undone' USING ERRCODE = '{code}'; END IF;"
            " RETURN NEW; END $$",
            f"CREATE TRIGGER undo {when} EXECUTE FUNCTION undo()",
        ):
            await tx.execute(sa.text(statement))
    try:
        yield
        async with database.reading() as reading:
            assert (await reading.execute(sa.text("SELECT last_value FROM undoing"))).scalar_one() > UNDONE
    finally:
        async with database.transaction() as tx:
            for statement in ("DROP FUNCTION undo() CASCADE", "DROP SEQUENCE undoing"):
                await tx.execute(sa.text(statement))


@dataclass(frozen=True, slots=True)
class Case:
    """What is done, by which method, and the trigger that undoes it."""

    prepare: Callable[[Marketplace, str], Awaitable[None]]
    act: Callable[[Marketplace, str], Awaitable[object]]
    method: str
    when: str
    status: order_pb2.OrderStatus
    """Of the order in the end."""


async def calculated(market: Marketplace, id: str) -> None:
    await ready(market.people.ada, id, promise(), tape=1)


async def submit(market: Marketplace, id: str) -> None:
    await market.people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id=id))


async def begun(market: Marketplace, id: str) -> None:
    await create(market.people.ada, id, tape=1)


async def edit(market: Marketplace, id: str) -> None:
    request = order_service_pb2.UpdateOrderRequest(order=order_pb2.Order(id=id, comments="by the back door"))
    request.update_mask.paths.append("comments")
    await market.people.ada.orders.UpdateOrder(request)


async def placed(market: Marketplace, id: str) -> None:
    await market.people.ada.place_order({"tape": 1}, id=id)


async def shipped(market: Marketplace, id: str) -> None:
    await ship(market.people.clerks["wh-east"], f"{id}-1", "l1", 1)


CASES = {
    "begin": Case(
        calculated,
        submit,
        "CheckoutService/SubmitOrder",
        "BEFORE INSERT ON submissions FOR EACH ROW",
        order_pb2.ORDER_STATUS_OPEN,
    ),
    "decide": Case(
        calculated,
        submit,
        "CheckoutService/SubmitOrder",
        "BEFORE UPDATE ON submissions FOR EACH ROW WHEN (OLD.state = 'TRYING' AND NEW.state <> 'TRYING')",
        order_pb2.ORDER_STATUS_OPEN,
    ),
    "finish": Case(
        calculated,
        submit,
        "CheckoutService/SubmitOrder",
        "BEFORE UPDATE ON submissions FOR EACH ROW WHEN (NEW.finished)",
        order_pb2.ORDER_STATUS_OPEN,
    ),
    "edit": Case(
        begun, edit, "OrderService/UpdateOrder", "BEFORE UPDATE ON orders FOR EACH ROW", order_pb2.ORDER_STATUS_UNSUBMITTED
    ),
    "report": Case(
        placed,
        shipped,
        "FulfillmentReportService/ReportFulfillment",
        "BEFORE INSERT ON order_shipments FOR EACH ROW",
        order_pb2.ORDER_STATUS_COMPLETED,
    ),
}


@pytest.mark.parametrize("code", ["40P01", "40001"])
@pytest.mark.parametrize("name", CASES)
async def test_what_the_database_undid_because_of_others_is_done_again(idle_market: Marketplace, name: str, code: str) -> None:
    case, id = CASES[name], f"UNDONE-{name}-{code}"
    await case.prepare(idle_market, id)
    before = served.copy()
    async with undone(idle_market, case.when, code):
        await case.act(idle_market, id)
    # By the service itself: neither its caller nor a background loop had to call again.
    assert (served - before)[f"/waybill.order.v1.{case.method}"] == 1
    assert (await get(idle_market.people.ada, id)).status == case.status
