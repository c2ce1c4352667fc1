"""How operators' commands reach a marketplace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any, TypeVar

import typer

from services.host.contexts import DEFAULT_SERVER
from services.host.operate.showing import complain
from waybill_client import AsyncWaybill, WaybillError

T = TypeVar("T")
S = TypeVar("S")
ROUTED = ("operations", "order", "payment")
"""Contexts that a command calls at the server it was given; tokens come from the directory's."""
PAGE = 500

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

    async def every(self, call: Callable[[AsyncWaybill, Any], Awaitable[Any]], request: Any, field: str) -> list[Any]:
        """All that the first server lists which serves the call, page after page; `field` is that of the items."""
        return await _pages(lambda asked: self.ask(lambda client: call(client, asked)), request, field)

    async def everywhere(self, call: Callable[[AsyncWaybill, Any], Awaitable[Any]], request: Any, field: str) -> list[Any]:
        """The same from every server, for what each tells of itself alone."""
        found: list[Any] = []
        for client in self.clients:
            found += await _pages(lambda asked, client=client: call(client, asked), request, field)  # type: ignore[misc]
        return found


async def _pages(page: Callable[[Any], Awaitable[Any]], request: Any, field: str) -> list[Any]:
    found: list[Any] = []
    request.page_size, request.page_token = PAGE, ""
    while True:
        answer = await page(request)
        found += getattr(answer, field)
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


@asynccontextmanager
async def operator(servers: Sequence[str] | None, client_id: str, client_secret: str) -> AsyncIterator[Operator]:
    """Signs in lazily, at the first server."""
    every = list(dict.fromkeys(servers or [DEFAULT_SERVER]))
    async with AsyncExitStack() as stack:
        yield Operator(
            [
                await stack.enter_async_context(
                    AsyncWaybill(every[0], client_id, client_secret, addresses=dict.fromkeys(ROUTED, address))
                )
                for address in every
            ]
        )


def run(
    work: Callable[[Operator], Awaitable[int]], servers: Sequence[str] | None, client_id: str, client_secret: str
) -> None:
    """Ends the process with the code that the work returns; a refusal is told in one line."""

    async def told() -> int:
        try:
            async with operator(servers, client_id, client_secret) as at:
                return await work(at)
        except WaybillError as error:
            complain(str(error))
            return 2

    raise typer.Exit(asyncio.run(told()))


async def in_turn(
    items: Iterable[S], act: Callable[[S], Awaitable[T]], name: Callable[[S], str]
) -> tuple[list[T], bool]:
    """Acts on one after the other and returns what came of it. What is refused is told, and the others go on; the flag
    says whether any was. An empty name stands for an error that names its subject itself."""
    done, refused = list[T](), False
    for item in items:
        try:
            done.append(await act(item))
        except WaybillError as error:
            refused = True
            label = name(item)
            complain(f"{label}: {error}" if label else str(error))
    return done, refused


def both(*filters: str) -> str:
    """One filter of several, the empty ones left out."""
    given = [text for text in filters if text]
    return " AND ".join(f"({text})" for text in given) if len(given) > 1 else "".join(given)
