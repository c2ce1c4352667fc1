"""`waybill commands`: cancels and holds that other services have still to carry out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.host.operate.session import (
    DEFAULT_CLIENT,
    AsJson,
    ClientId,
    ClientSecret,
    Filter,
    Operator,
    Server,
    in_turn,
    run,
)
from services.host.operate.showing import age, due, show, word
from waybill.order.v1 import order_command_service_pb2 as pb

commands = typer.Typer(no_args_is_help=True, help="Cancels and holds that other services have still to carry out.")
COLUMNS = {"order": "bold", "buyer": "", "type": "", "decided": "", "age": "", "next try": ""}


@commands.command("list")
def list_commands(
    filter: Filter = "",
    server: Server = None,
    client_id: ClientId = DEFAULT_CLIENT,
    client_secret: ClientSecret = "",
    json: AsJson = False,
) -> None:
    """Lists what is not at its end: a cancel waits for fulfillment or payment, a hold or its release for fulfillment."""

    async def work(at: Operator) -> int:
        found = await _found(at, filter)
        show(found, json, COLUMNS, map(_row, found), "no cancel and no hold is unfinished")
        return 0

    run(work, server, client_id, client_secret)


@commands.command("resolve")
def resolve_commands(
    order: Annotated[list[str] | None, typer.Argument(help="Ids of orders.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Everything unfinished.")] = False,
    server: Server = None,
    client_id: ClientId = DEFAULT_CLIENT,
    client_secret: ClientSecret = "",
    json: AsJson = False,
) -> None:
    """Drives cancels and holds on now, and shows what is left of them. Exit code 1 when something is."""
    if bool(order) == all:
        raise typer.BadParameter("name orders, or say --all")

    async def work(at: Operator) -> int:
        async def resolve(id: str) -> list[Any]:
            request = pb.DriveOrderCommandsRequest(order_id=id)
            return list((await at.ask(lambda client: client.order_commands.DriveOrderCommands(request))).order_commands)

        wanted = list(dict.fromkeys(one.order_id for one in await _found(at, ""))) if all else order or []
        done, refused = await in_turn(wanted, resolve, lambda id: id)
        left = [one for of_order in done for one in of_order]
        if json or left or not refused:
            show(left, json, COLUMNS, map(_row, left), "nothing is unfinished")
        return 1 if refused or left else 0

    run(work, server, client_id, client_secret)


async def _found(at: Operator, filter: str) -> list[Any]:
    request = pb.ListOrderCommandsRequest(filter=filter)
    return await at.every(
        lambda client, asked: client.order_commands.ListOrderCommands(asked), request, "order_commands"
    )


def _row(one: pb.OrderCommand) -> list[str]:
    return [
        one.order_id, one.buyer_id, word(pb.OrderCommandType, one.type), "yes" if one.decided else "no",
        age(one.begin_time), due(one.next_action_time),
    ]  # fmt: skip
