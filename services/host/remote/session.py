"""How operators' commands reach a marketplace."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import typer

from services.host.contexts import DEFAULT_SERVER
from services.host.remote.server_options import DEFAULT_CLIENT, ClientId, ClientSecret, Server, require_secret
from services.host.remote.showing import complain
from waybill_client import AsyncWaybill, WaybillError

T = TypeVar("T")
S = TypeVar("S")
Work = TypeVar("Work", bound=Callable[..., Awaitable[int]])
ROUTED = ("audit", "changes", "operations", "order", "payment")
"""Contexts that a command calls at the server it was given; tokens come from the directory's."""
PAGE = 500


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
        """The same from every server, for what each knows of itself alone."""
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


def _reached_by(server: Server = None, client_id: ClientId = DEFAULT_CLIENT, client_secret: ClientSecret = "") -> None:
    """The options of every command: where the marketplace is, and who asks."""


_REACH = inspect.signature(_reached_by, eval_str=True).parameters


def command(app: typer.Typer, name: str) -> Callable[[Work], Work]:
    """Makes a command of its work: a coroutine that takes the operator, then what was typed, and returns the exit code.

    The options that say where the marketplace is and who asks are added to those of the work.
    """

    def made(work: Work) -> Work:
        _, *own = inspect.signature(work, eval_str=True).parameters.values()
        typed = [*own, *_REACH.values()]

        def typed_in(**given: Any) -> None:
            reach = {option: given.pop(option) for option in _REACH}
            raise typer.Exit(asyncio.run(_exit_code(lambda at: work(at, **given), **reach)))

        typed_in.__doc__ = work.__doc__
        typed_in.__annotations__ = {parameter.name: parameter.annotation for parameter in typed}
        typed_in.__signature__ = inspect.Signature(typed)  # type: ignore[attr-defined]
        app.command(name)(typed_in)
        return work

    return made


async def _exit_code(
    work: Callable[[Operator], Awaitable[int]], server: Sequence[str] | None, client_id: str, client_secret: str
) -> int:
    """The work's exit code."""
    require_secret(client_secret)
    async with operator(server, client_id, client_secret) as at:
        return await work(at)


def named_or_all(named: bool, all: bool, remedy: str) -> None:
    """A command that acts needs a choice of what it acts on: what is named, or everything; not both, nor neither."""
    if named == all:
        raise typer.BadParameter(remedy)


async def in_turn(items: Iterable[S], act: Callable[[S], Awaitable[T]], name: Callable[[S], str]) -> tuple[list[T], bool]:
    """Acts on one after the other and returns what came of it. What is refused is printed, and the others go on; the flag
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
