"""`waybill demo`."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from libs.obs import configure_logging
from services.host.failure import Failure
from services.host.remote.server_options import require_secret
from services.host.remote.servers import parsed
from waybill_client import WaybillError


class StoryName(StrEnum):
    """What can be played."""

    ORDER = "order"
    GUEST = "guest"
    CATALOG = "catalog"
    B2B = "b2b"


def demo(
    server: Annotated[
        list[str] | None,
        typer.Option(
            help="host:port of an empty marketplace that is being served, or order=host:port for one service of it; "
            "can be repeated. Without it the demo serves one of its own."
        ),
    ] = None,
    client_id: Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_ID")] = "waybill-admin",
    client_secret: Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_SECRET", help="The owner's, with --server.")] = "",
    story: Annotated[
        StoryName,
        typer.Option(
            help="order: PO9123 from cart to completed. guest: a visitor registers and takes the cart along. "
            "catalog: who sees what, and a supplier's own product. "
            "b2b: variants, tax inside prices, points beside a card, a supplier that does not answer, parcels in parts."
        ),
    ] = StoryName.ORDER,
    json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Plays one marketplace order, PO9123, from cart to completed, or another story, through real services."""
    from services.host.demo import b2b, catalog, guest
    from services.host.demo.play import perform, play, play_at

    stories = {
        StoryName.ORDER: perform,
        StoryName.GUEST: guest.perform,
        StoryName.CATALOG: catalog.perform,
        StoryName.B2B: b2b.perform,
    }
    played = stories[story]
    configure_logging("WARNING")
    out = Console()
    if not server:
        raise typer.Exit(asyncio.run(play(out, json, played)))
    require_secret(client_secret, "the owner's")
    try:
        raise typer.Exit(asyncio.run(play_at(out, json, parsed(server), client_id, client_secret, played)))
    except WaybillError as refused:
        message = f"the demo needs an empty marketplace and its owner's secret: {refused.message}"
        code = refused.code.name
        raise Failure(refused.reason or code, message, refused.metadata, named=True, code=code) from refused
