"""`waybill audit`: who has done what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from services.host.contexts import CONTEXTS
from services.host.remote.server_options import AsJson, Filter
from services.host.remote.session import Operator, both, command, in_turn
from services.host.remote.showing import show
from waybill.audit.v1 import audit_service_pb2 as pb
from waybill_client import WaybillError

audit = typer.Typer(no_args_is_help=True, help="Administrative acts: who has done what.")
COLUMNS = {"time": "", "context": "", "action": "bold", "what": "", "by": "", "fields": ""}
PAGE = 500


@audit.callback()
def _by_name() -> None:
    """Administrative acts: who has done what."""
    # With this the one command there is has a name all the same.


def _equals(name: str, value: str) -> str:
    """A condition of a filter; a star stands for any text, as in every filter."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name} = "{escaped}"' if value else ""


@command(audit, "list")
async def list_entries(
    at: Operator,
    context: Annotated[list[str] | None, typer.Option(help="Only of these contexts, such as directory.")] = None,
    since: Annotated[str, typer.Option(help="Not before this time, such as 2026-03-01 or 2026-03-01T08:00:00Z.")] = "",
    until: Annotated[str, typer.Option(help="Before this time.")] = "",
    user: Annotated[str, typer.Option(help="Done by this user.")] = "",
    impersonator: Annotated[str, typer.Option(help="Done by this user of the seller in the place of another.")] = "",
    action: Annotated[str, typer.Option(help="Such as CreateUser; a star stands for any text.")] = "",
    resource: Annotated[str, typer.Option(help='Kind of resource, such as "API client".')] = "",
    id: Annotated[str, typer.Option(help="Id of the resource.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show at most so many.")] = 100,
    filter: Filter = "",
    json: AsJson = False,
) -> int:
    """Lists administrative acts of all contexts, the newest first. Exit code 1 when one does not answer."""
    unknown = [name for name in context or () if name not in CONTEXTS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is none of {', '.join(CONTEXTS)}")
    wanted = both(
        f'time >= "{since}"' if since else "",
        f'time < "{until}"' if until else "",
        _equals("user_id", user),
        _equals("impersonator_id", impersonator),
        _equals("action", action),
        _equals("resource", resource),
        _equals("resource_id", id),
        filter,
    )
    found, refused = await in_turn(context or CONTEXTS, lambda name: _of(at, name, wanted, limit), str)
    entries = sorted((entry for of_one in found for entry in of_one), key=_newest_first)[:limit]
    show(entries, json, COLUMNS, map(_row, entries), "nothing is in the log")
    return int(refused)


async def _of(at: Operator, context: str, wanted: str, limit: int) -> Sequence[pb.AuditEntry]:
    """The newest of one context, wherever it is hosted."""
    for number, client in enumerate(at.clients, 1):
        found: list[pb.AuditEntry] = []
        request = pb.ListAuditEntriesRequest(context=context, filter=wanted)
        try:
            while len(found) < limit:
                request.page_size = min(PAGE, limit - len(found))
                answer = await client.audit.ListAuditEntries(request)
                found += answer.entries
                request.page_token = answer.next_page_token
                if not request.page_token:
                    break
        except WaybillError as error:
            if error.code.name != "NOT_FOUND" or number == len(at.clients):
                raise
        else:
            return found
    raise AssertionError("unreachable")


def _newest_first(entry: pb.AuditEntry) -> tuple[int, str, int]:
    return (-entry.time.ToNanoseconds(), entry.context, -entry.id)


def _row(entry: pb.AuditEntry) -> list[str]:
    by = f"{entry.impersonator_id} as {entry.user_id}" if entry.impersonator_id else entry.user_id
    return [
        entry.time.ToJsonString(),
        entry.context,
        entry.action,
        f"{entry.resource} {entry.resource_id}",
        by,
        ", ".join(entry.fields),
    ]
