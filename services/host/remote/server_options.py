"""Options of commands that ask a running marketplace: where it is, who asks, and how the answer is shown."""

from __future__ import annotations

from typing import Annotated

import typer

from services.host.addresses import require_callable
from services.host.failure import Failure


def _callable(servers: list[str] | None) -> list[str]:
    return [require_callable(server) for server in servers or ()]


Server = Annotated[
    list[str] | None,
    typer.Option(
        envvar="WAYBILL_SERVER",
        callback=_callable,
        help="host:port of a running marketplace; one for each server, the directory's first.",
    ),
]
ClientId = Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_ID")]
ClientSecret = Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_SECRET")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
Filter = Annotated[str, typer.Option(help="AIP-160 filter, beside the other options.")]
DEFAULT_CLIENT = "waybill-admin"


def require_secret(client_secret: str, whose: str = "an operator's") -> None:
    """Raises `Failure` when there is none: no server needs to be asked for that."""
    if not client_secret:
        remedy = f"give --client-secret or WAYBILL_CLIENT_SECRET; --client-id is {DEFAULT_CLIENT} unless it is given"
        raise Failure("CLIENT_SECRET_MISSING", f"this needs {whose} secret: {remedy}")
