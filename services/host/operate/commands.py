"""`waybill commands`: cancels and holds that other services have still to carry out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.host.remote.server_options import AsJson, Filter
from services.host.remote.session import Operator, command, in_turn, named_or_all
from services.host.remote.showing import age, due, show, word
from waybill.order.v1 import order_command_service_pb2 as pb

commands = typer.Typer(no_args_is_help=True, help="Cancels and holds that other services have still to carry out.")
COLUMNS = {"order": "bold", "buyer": "", "type": "", "decided": "", "age": "", "next try": ""}


@command(commands, "list")
async def list_commands(at: Operator, filter: Filter = "", json: AsJson = False) -> int:
    """Lists what is not at its end: a cancel waits for fulfillment or payment, a hold or its release for fulfillment."""
    found = await _found(at, filter)
    show(found, json, COLUMNS, map(_row, found), "no cancel and no hold is unfinished")
    return 0


@command(commands, "resolve")
async def resolve_commands(
    at: Operator,
    order: Annotated[list[str] | None, typer.Argument(help="Ids of orders.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Everything unfinished.")] = False,
    json: AsJson = False,
) -> int:
    """Drives cancels and holds on now, and shows what is left of them. Exit code 1 when something is."""
    named_or_all(bool(order), all, "name orders, or say --all")

    async def resolve(id: str) -> list[Any]:
        request = pb.DriveOrderCommandsRequest(order_id=id)
        return list((await at.ask(lambda client: client.order_commands.DriveOrderCommands(request))).order_commands)

    wanted = list(dict.fromkeys(one.order_id for one in await _found(at, ""))) if all else order or []
    done, refused = await in_turn(wanted, resolve, lambda id: id)
    left = [one for of_order in done for one in of_order]
    if json or left or not refused:
        show(left, json, COLUMNS, map(_row, left), "nothing is unfinished")
    return 1 if refused or left else 0


async def _found(at: Operator, filter: str) -> list[Any]:
    request = pb.ListOrderCommandsRequest(filter=filter)
    return await at.every(lambda client, asked: client.order_commands.ListOrderCommands(asked), request, "order_commands")


def _row(one: pb.OrderCommand) -> list[str]:
    return [
        one.order_id,
        one.buyer_id,
        word(pb.OrderCommandType, one.type),
        "yes" if one.decided else "no",
        age(one.begin_time),
        due(one.next_action_time),
    ]
