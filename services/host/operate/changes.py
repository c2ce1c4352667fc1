"""`waybill changes`: the feeds of what each context has committed."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToJson

from services.host.contexts import CONTEXTS
from services.host.remote.server_options import AsJson
from services.host.remote.session import Operator, command, in_turn
from services.host.remote.showing import age, show
from waybill.changes.v1 import change_service_pb2 as pb
from waybill_client import AsyncWaybill, WaybillError

changes = typer.Typer(no_args_is_help=True, help="Feeds of what each context has committed.")
COLUMNS = {"context": "bold", "feed": "", "changes": "", "oldest": "", "newest": ""}


def _known(context: str) -> str:
    if context not in CONTEXTS:
        raise typer.BadParameter(f"{context} is none of {', '.join(CONTEXTS)}")
    return context


def _begun(typed: str) -> list[str]:
    return [context for context in CONTEXTS if context.startswith(typed)]


Context = Annotated[str, typer.Argument(callback=_known, autocompletion=_begun, help="Such as catalog.")]


@command(changes, "status")
async def status(at: Operator, json: AsJson = False) -> int:
    """Shows of every context whether its feed is on, and what is in it. Exit code 1 when one does not answer."""
    found, refused = await in_turn(CONTEXTS, lambda context: _get(at, context), str)
    show(found, json, COLUMNS, map(_row, found), "no context keeps a feed")
    return int(refused)


@command(changes, "on")
async def turn_on(at: Operator, context: Context, json: AsJson = False) -> int:
    """Has changes written from now on. Resume tokens from before are lost when the feed was off: readers read anew."""
    return await _switch(at, context, True, json)


@command(changes, "off")
async def turn_off(at: Operator, context: Context, json: AsJson = False) -> int:
    """Has no changes written. Readers see nothing of what happens meanwhile, and once it is on again they read anew."""
    return await _switch(at, context, False, json)


@command(changes, "watch")
async def watch(
    at: Operator,
    context: Context,
    from_start: Annotated[bool, typer.Option("--from-start", help="Begin with the oldest change that is known.")] = False,
    resume_token: Annotated[str, typer.Option(help="Go on after this token, which an earlier watch has printed.")] = "",
    to_end: Annotated[bool, typer.Option("--to-end", help="End once all that is there has been printed.")] = False,
    json: AsJson = False,
) -> int:
    """Prints changes as they come, one a line, until it is interrupted. With --json every line has the token to go on with."""
    if from_start and resume_token:
        raise typer.BadParameter("--from-start or --resume-token, not both")
    request = pb.WatchChangesRequest(context=context, from_start=from_start, resume_token=resume_token)
    server = await _host(at, context)
    # A watch from the start says first where that is; after that a message without a change says that no more is there.
    begins = from_start
    async for message in server.changes.WatchChanges(request):
        if json:
            typer.echo(MessageToJson(message, preserving_proto_field_name=True, indent=None))
        elif message.HasField("change"):
            typer.echo(_line(message.change))
        if to_end and not begins and not message.HasField("change"):
            break
        begins = False
    return 0


async def _host(at: Operator, context: str) -> AsyncWaybill:
    """The server that hosts a context."""
    request = pb.GetChangeFeedRequest(context=context)
    for number, client in enumerate(at.clients, 1):
        try:
            await client.changes.GetChangeFeed(request)
        except WaybillError as error:
            if error.code.name != "NOT_FOUND" or number == len(at.clients):
                raise
        else:
            return client
    raise AssertionError("unreachable")


async def _get(at: Operator, context: str) -> pb.ChangeFeed:
    server = await _host(at, context)
    return (await server.changes.GetChangeFeed(pb.GetChangeFeedRequest(context=context))).feed


async def _switch(at: Operator, context: str, enabled: bool, json: bool) -> int:
    server = await _host(at, context)
    answer = await server.changes.SwitchChangeFeed(pb.SwitchChangeFeedRequest(context=context, enabled=enabled))
    show([answer.feed], json, COLUMNS, [_row(answer.feed)], "")
    if not json:
        meaning = "changes are written" if enabled else "no change is written, and once it is on again every reader reads anew"
        typer.echo(f"the feed of {context} is {'on' if enabled else 'off'}: {meaning}")
    return 0


def _row(feed: pb.ChangeFeed) -> list[str]:
    times = [age(time) if feed.HasField(name) else "" for name, time in _times(feed)]
    return [feed.context, "on" if feed.enabled else "off", f"{feed.changes:,}", *times]


def _times(feed: pb.ChangeFeed) -> list[tuple[Any, Any]]:
    return [("oldest_time", feed.oldest_time), ("newest_time", feed.newest_time)]


def _line(change: pb.Change) -> str:
    what = f"{change.resource} {change.resource_id} version {change.version}"
    gone = ", deleted" if change.HasField("deleted_body") else ""
    return " ".join(filter(None, [change.time.ToJsonString(), what + gone, change.method, change.actor]))
