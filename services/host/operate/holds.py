"""`waybill holds`: open orders of which nothing is packed or shipped for the time being."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.host.remote.server_options import AsJson, Filter
from services.host.remote.session import Operator, both, command, in_turn
from services.host.remote.showing import age, show, word
from waybill.order.v1 import order_pb2
from waybill.order.v1 import order_service_pb2 as pb

holds = typer.Typer(no_args_is_help=True, help="Orders on hold: nothing of them is packed or shipped.")
COLUMNS = {"order": "bold", "hold": "", "type": "", "payment": "", "age": "", "by": "", "comment": ""}


@command(holds, "list")
async def list_holds(at: Operator, filter: Filter = "", json: AsJson = False) -> int:
    """Lists every hold in force, with who placed it and why. PAYMENT: a payment of the order is no longer good."""
    _show(await _found(at, both("held = true", filter)), json, "no order is on hold")
    return 0


@command(holds, "place")
async def place_hold(
    at: Operator,
    order: Annotated[list[str], typer.Argument(help="Ids of open orders.")],
    comment: Annotated[str, typer.Option(help="Why; the buyer can read it.")] = "",
    json: AsJson = False,
) -> int:
    """Puts orders on hold: no further unit is packed or shipped. Exit code 1 when one could not be held."""

    async def hold(id: str) -> order_pb2.Order:
        request = pb.HoldOrderRequest(order_id=id, comment=comment)
        held: order_pb2.Order = (await at.ask(lambda client: client.orders.HoldOrder(request))).order
        return held

    done, refused = await in_turn(order, hold, str)
    _show(done, json, "no hold is left")
    return int(refused)


@command(holds, "release")
async def release_holds(
    at: Operator,
    order: Annotated[list[str], typer.Argument(help="Ids of orders.")],
    hold: Annotated[str, typer.Option(help="One hold of the order; all that are in force unless given.")] = "",
    comment: Annotated[str, typer.Option(help="Why; the buyer can read it.")] = "",
    json: AsJson = False,
) -> int:
    """Releases holds: what is left of the orders can ship. Exit code 1 when one could not be released."""
    if hold and len(order) > 1:
        raise typer.BadParameter("--hold belongs to one order")

    done, refused = await in_turn(order, lambda id: _released(at, id, hold, comment), str)
    _show(done, json, "no hold is left")
    return int(refused)


async def _released(at: Operator, id: str, hold: str, comment: str) -> order_pb2.Order:
    """The order after its holds, or the one, are released."""
    ask = pb.GetOrderRequest(order_id=id, direction=order_pb2.DIRECTION_INCOMING)
    order: order_pb2.Order = (await at.ask(lambda client: client.orders.GetOrder(ask))).order
    for wanted in [hold] if hold else [h.id for h in order.holds if not h.HasField("release_time")]:
        request = pb.ReleaseOrderHoldRequest(order_id=id, hold_id=wanted, comment=comment)
        order = (await at.ask(lambda client: client.orders.ReleaseOrderHold(request))).order  # noqa: B023
    return order


async def _found(at: Operator, filter: str) -> list[Any]:
    request = pb.ListOrdersRequest(direction=order_pb2.DIRECTION_INCOMING, filter=filter, order_by="create_time")
    return await at.every(lambda client, asked: client.orders.ListOrders(asked), request, "orders")


def _show(orders: list[order_pb2.Order], json: bool, nothing: str) -> None:
    show(orders, json, COLUMNS, (row for order in orders for row in _rows(order)), nothing)


def _rows(order: order_pb2.Order) -> list[list[str]]:
    """One row for each hold in force."""
    return [
        [
            order.id,
            hold.id,
            word(order_pb2.OrderHoldType, hold.type),
            hold.payment_id,
            age(hold.create_time),
            hold.user_id,
            hold.comment,
        ]
        for hold in order.holds
        if not hold.HasField("release_time")
    ]
