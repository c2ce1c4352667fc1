"""`waybill check`."""

from __future__ import annotations

import asyncio
import json as json_module
from typing import Annotated

import typer
from rich.console import Console

from services.host.check import show
from services.host.check.compare import PAUSE
from services.host.check.compare import check as inspection
from services.host.check.reconcile import reconciled
from services.host.contexts import DEFAULT_SERVER
from services.host.remote.server_options import DEFAULT_CLIENT, AsJson, ClientId, ClientSecret, Server, require_secret
from waybill_client import AsyncWaybill

out = Console()
err = Console(stderr=True)


def check(
    server: Server = None,
    client_id: ClientId = DEFAULT_CLIENT,
    client_secret: ClientSecret = "",
    json: AsJson = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every invariant with its counts, not their sums.")] = False,
    reconcile: Annotated[
        bool,
        typer.Option(
            "--reconcile",
            help="After a restore: first retries what is parked and waits until the services have finished what they found.",
        ),
    ] = False,
    patience: Annotated[float, typer.Option(help="Seconds that --reconcile waits at most.")] = 300.0,
    pause: Annotated[float, typer.Option(help="Seconds between two looks at what differs; it takes ten at most.")] = PAUSE,
) -> None:
    """Proves the books: every service's invariants, and what only a comparison between them can show.

    Exit code 1 when one is broken or when work waits for you, parked or failing again and again; 2 when the books could not
    be looked at, or not at all of them.
    """
    wait = patience if reconcile else None
    require_secret(client_secret, "the owner's")
    raise typer.Exit(asyncio.run(_check(server or [DEFAULT_SERVER], client_id, client_secret, json, verbose, wait, pause)))


async def _check(
    servers: list[str], client_id: str, client_secret: str, as_json: bool, verbose: bool, reconciling: float | None, pause: float
) -> int:
    async with AsyncWaybill(servers[0], client_id, client_secret) as client:
        settled = reconciling is None or await reconciled(client, servers, reconciling, err)
        report = await inspection(client, servers, pause)
    if as_json:
        out.print_json(json_module.dumps(show.as_json(report)))
    else:
        show.show(report, out, verbose)
    if not report.ok or not settled or report.waits:
        return 1
    return 2 if report.missing else 0
