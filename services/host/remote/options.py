"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Server = Annotated[
    list[str] | None, typer.Option(help="host:port of a running marketplace; one for each server, the directory's first.")
]
ClientId = Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_ID")]
ClientSecret = Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_SECRET")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
Filter = Annotated[str, typer.Option(help="AIP-160 filter, beside the other options.")]
DEFAULT_CLIENT = "waybill-admin"
