"""`waybill holds`: open orders of which nothing is packed or shipped for the time being."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.host.operate.session import (
    DEFAULT_CLIENT,
    PAGE,
    AsJson,
    ClientId,
    ClientSecret,
    Filter,
    Operator,
    Server,
    age,
    both,
    err,
    operator,
    pages,
    run,
    show_json,
    show_table,
)
from waybill.order.v1 import order_pb2
from waybill.order.v1 import order_service_pb2 as pb
from waybill_client import WaybillError

holds = typer.Typer(no_args_is_help=True, help="Orders on hold: nothing of them is packed or shipped.")
COLUMNS = {"order": "bold", "hold": "", "type": "", "payment": "", "age": "", "by": "", "comment": ""}


@holds.command("list")
def list_holds(
    filter: Filter = "",
    server: Server = None,
    client_id: ClientId = DEFAULT_CLIENT,
    client_secret: ClientSecret = "",
    json: AsJson = False,
) -> None:
    """Lists every hold in force, with who placed it and why. PAYMENT: a payment of the order is no longer good."""

    async def work() -> int:
        async with operator(server, client_id, client_secret) as at:
            found = await _found(at, both("held = true", filter))
        if json:
            show_json(found)
        else:
            show_table(COLUMNS, (row for order in found for row in _rows(order)), "no order is on hold")
        return 0

    run(work())


@holds.command("place")
def place_hold(
    order: Annotated[list[str], typer.Argument(help="Ids of open orders.")],
    comment: Annotated[str, typer.Option(help="Why; the buyer can read it.")] = "",
    server: Server = None,
    client_id: ClientId = DEFAULT_CLIENT,
    client_secret: ClientSecret = "",
    json: AsJson = False,
) -> None:
    """Puts orders on hold: no further unit is packed or shipped. Exit code 1 when one could not be held."""

    async def work() -> int:
        done, failed = [], False
        async with operator(server, client_id, client_secret) as at:
            for id in order:
                request = pb.HoldOrderRequest(order_id=id, comment=comment)
                try:
                    done.append((await at.ask(lambda client: client.orders.HoldOrder(request))).order)  # noqa: B023
                except WaybillError as error:
                    failed = True
                    err.print(f"{id}: {error}", style="red", markup=False, soft_wrap=True)
        _show(done, json)
        return int(failed)

    run(work())


@holds.command("release")
def release_holds(
    order: Annotated[list[str], typer.Argument(help="Ids of orders.")],
    hold: Annotated[str, typer.Option(help="One hold of the order; all that are in force unless given.")] = "",
    comment: Annotated[str, typer.Option(help="Why; the buyer can read it.")] = "",
    server: Server = None,
    client_id: ClientId = DEFAULT_CLIENT,
    client_secret: ClientSecret = "",
    json: AsJson = False,
) -> None:
    """Releases holds: what is left of the orders can ship. Exit code 1 when one could not be released."""
    if hold and len(order) > 1:
        raise typer.BadParameter("--hold belongs to one order")

    async def work() -> int:
        done, failed = [], False
        async with operator(server, client_id, client_secret) as at:
            for id in order:
                try:
                    done.append(await _released(at, id, hold, comment))
                except WaybillError as error:
                    failed = True
                    err.print(f"{id}: {error}", style="red", markup=False, soft_wrap=True)
        _show(done, json)
        return int(failed)

    run(work())


async def _released(at: Operator, id: str, hold: str, comment: str) -> order_pb2.Order:
    """The order after its holds, or the one, are released."""
    ask = pb.GetOrderRequest(order_id=id, direction=order_pb2.DIRECTION_INCOMING)
    order: order_pb2.Order = (await at.ask(lambda client: client.orders.GetOrder(ask))).order
    for wanted in [hold] if hold else [h.id for h in order.holds if not h.HasField("release_time")]:
        request = pb.ReleaseOrderHoldRequest(order_id=id, hold_id=wanted, comment=comment)
        order = (await at.ask(lambda client: client.orders.ReleaseOrderHold(request))).order  # noqa: B023
    return order


async def _found(at: Operator, filter: str) -> list[Any]:
    async def page(token: str) -> Any:
        request = pb.ListOrdersRequest(
            direction=order_pb2.DIRECTION_INCOMING, filter=filter, order_by="create_time", page_size=PAGE,
            page_token=token,
        )  # fmt: skip
        return await at.ask(lambda client: client.orders.ListOrders(request))

    return await pages(page, "orders")


def _show(orders: list[order_pb2.Order], json: bool) -> None:
    if json:
        show_json(orders)
    else:
        show_table(COLUMNS, (row for order in orders for row in _rows(order)), "no hold is left")


def _rows(order: order_pb2.Order) -> list[list[str]]:
    """One row for each hold in force."""
    return [
        [
            order.id, hold.id, order_pb2.OrderHoldType.Name(hold.type).removeprefix("ORDER_HOLD_TYPE_"),
            hold.payment_id, age(hold.create_time), hold.user_id, hold.comment,
        ]
        for hold in order.holds
        if not hold.HasField("release_time")
    ]  # fmt: skip
