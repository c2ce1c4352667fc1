"""How operators' commands reach a marketplace, and how they show what they found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.host.settings import DEFAULT_PORT
from waybill_client import AsyncWaybill, WaybillError

T = TypeVar("T")
ROUTED = ("operations", "order", "payment")
"""Contexts that a command calls at the server it was given; tokens come from the directory's."""
PAGE = 500
out = Console()
err = Console(stderr=True)

Server = Annotated[
    list[str] | None,
    typer.Option(help="host:port of a running marketplace; one for each server, the directory's first."),
]
ClientId = Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_ID")]
ClientSecret = Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_SECRET")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
Filter = Annotated[str, typer.Option(help="AIP-160 filter, beside the other options.")]
DEFAULT_CLIENT = "waybill-admin"


class Operator:
    """The servers of a marketplace, seen by one operator."""

    def __init__(self, clients: Sequence[AsyncWaybill]) -> None:
        self.clients = clients

    async def ask(self, call: Callable[[AsyncWaybill], Awaitable[T]]) -> T:
        """The answer of the first server that serves what is called."""
        for client in self.clients:
            try:
                return await call(client)
            except WaybillError as error:
                if error.code.name != "UNIMPLEMENTED":
                    raise
        raise typer.BadParameter("none of the given servers serves this; name the one that does with --server")


@asynccontextmanager
async def operator(servers: Sequence[str] | None, client_id: str, client_secret: str) -> AsyncIterator[Operator]:
    """Signs in lazily, at the first server."""
    every = list(dict.fromkeys(servers or [f"127.0.0.1:{DEFAULT_PORT}"]))
    async with AsyncExitStack() as stack:
        yield Operator(
            [
                await stack.enter_async_context(
                    AsyncWaybill(every[0], client_id, client_secret, addresses=dict.fromkeys(ROUTED, address))
                )
                for address in every
            ]
        )


def run(work: Awaitable[int]) -> None:
    """Ends the process with the code that the work returns; a refusal is told in one line."""

    async def told() -> int:
        try:
            return await work
        except WaybillError as error:
            err.print(str(error), style="red", markup=False, soft_wrap=True)
            return 2

    raise typer.Exit(asyncio.run(told()))


async def pages(page: Callable[[str], Awaitable[Any]], field: str) -> list[Any]:
    """Everything that a list has, page after page."""
    found: list[Any] = []
    token = ""
    while True:
        answer = await page(token)
        found += getattr(answer, field)
        token = answer.next_page_token
        if not token:
            return found


def both(*filters: str) -> str:
    """One filter of several, the empty ones left out."""
    given = [text for text in filters if text]
    return " AND ".join(f"({text})" for text in given) if len(given) > 1 else "".join(given)


def show_json(messages: Iterable[Any]) -> None:
    """Messages as one array, with the names of their contracts."""
    found = [MessageToDict(m, preserving_proto_field_name=True, always_print_fields_with_no_presence=True) for m in messages]
    out.print_json(json.dumps(found))


def show_table(columns: Mapping[str, str], rows: Iterable[Sequence[str]], nothing: str) -> None:
    """A table, or one line when there is nothing in it. `columns` gives the style of each."""
    found = list(rows)
    if not found:
        out.print(f"[green]{nothing}[/green]")
        return
    table = Table(box=None, pad_edge=False)
    for name, style in columns.items():
        table.add_column(name, style=style or None, overflow="fold")
    for row in found:
        table.add_row(*(escape(cell) for cell in row))
    out.print(table)


def age(moment: Timestamp) -> str:
    """How long ago, or in how long, in people's words; empty when unset."""
    if not moment.seconds:
        return ""
    seconds = int((datetime.now(UTC) - moment.ToDatetime(UTC)).total_seconds())
    text = _length(abs(seconds))
    return text if seconds >= 0 else f"in {text}"


def due(moment: Timestamp) -> str:
    """When something happens next; empty when unset."""
    text = age(moment)
    return text if not text or text.startswith("in ") else "now"


def _length(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
