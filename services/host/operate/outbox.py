"""`waybill outbox`: what services have committed and others have not acknowledged."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.host.remote.server_options import AsJson, Filter
from services.host.remote.session import Operator, both, command, in_turn, named_or_all
from services.host.remote.showing import age, due, show
from waybill.operations.v1 import outbox_service_pb2 as pb
from waybill_client import WaybillError

outbox = typer.Typer(no_args_is_help=True, help="Changes that other services have not acknowledged.")
COLUMNS = {"entry": "bold", "version": "", "delivered": "", "changed": "", "tries": "", "next try": "", "error": ""}


@command(outbox, "list")
async def list_entries(
    at: Operator,
    parked: Annotated[bool, typer.Option("--parked", help="Only what was rejected and waits for you.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Only what is sent again by itself.")] = False,
    filter: Filter = "",
    json: AsJson = False,
) -> int:
    """Lists pending changes of every given server, the oldest first."""
    if parked and pending:
        raise typer.BadParameter("--parked or --pending, not both")
    wanted = both("parked = true" if parked else "parked = false" if pending else "", filter)

    found = await _found(at, wanted)
    show(found, json, COLUMNS, map(_row, found), "nothing is parked" if parked else "nothing is pending")
    return 0


@command(outbox, "retry")
async def retry_entries(
    at: Operator,
    entry: Annotated[list[str] | None, typer.Argument(help="As listed, such as fulfillment/supplier_order/PO9123-1.")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="Everything that is parked.")] = False,
    json: AsJson = False,
) -> int:
    """Sends pending changes now, once the cause of their rejection is gone. Exit code 1 when one is not pending."""
    named_or_all(bool(entry), parked, "name entries, or say --parked")
    names = [text.split("/") for text in entry or ()]
    if any(len(parts) != 3 for parts in names):
        raise typer.BadParameter("an entry is context/kind/id, as `waybill outbox list` shows it")

    chosen = names or [[e.context, e.kind, e.id] for e in await _found(at, "parked = true")]
    requests = [pb.RetryOutboxEntryRequest(context=context, kind=kind, id=id) for context, kind, id in chosen]
    done, refused = await in_turn(requests, lambda request: retry(at, request), lambda _: "")
    show(done, json, COLUMNS, map(_row, done), "nothing to retry")
    return int(refused)


async def _found(at: Operator, filter: str) -> list[Any]:
    request = pb.ListOutboxEntriesRequest(filter=filter)
    found = await at.everywhere(lambda client, asked: client.outbox.ListOutboxEntries(asked), request, "entries")
    # Replicas of one service give the same answer.
    return list({(e.context, e.kind, e.id): e for e in found}.values())


async def retry(at: Operator, request: pb.RetryOutboxEntryRequest) -> Any:
    """The entry as it is pending now, from the server that hosts its context."""
    for number, client in enumerate(at.clients, 1):
        try:
            return (await client.outbox.RetryOutboxEntry(request)).entry
        except WaybillError as error:
            # A server that hosts another context knows nothing of it.
            if error.code.name != "NOT_FOUND" or number == len(at.clients):
                raise
    raise AssertionError("unreachable")


def _row(e: pb.OutboxEntry) -> list[str]:
    next_try = "parked" if e.HasField("parked_time") else due(e.due_time)
    return [
        f"{e.context}/{e.kind}/{e.id}",
        str(e.sequence),
        str(e.delivered_sequence),
        age(e.change_time),
        str(e.tries),
        next_try,
        e.error,
    ]
