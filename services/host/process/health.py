"""`waybill health`: whether a server serves, as an exit code.

Containers ask every few seconds, so they call `python -m services.host.process.health`: the same in a tenth of the time.
"""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import Annotated

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.host.addresses import require_callable
from services.host.contexts import DEFAULT_SERVER

SERVING = "SERVING"
PATIENCE = 3.0
"""Seconds within which a server that is well answers."""

Server = Annotated[str, typer.Option(callback=require_callable, help="host:port of the server.")]
Service = Annotated[str, typer.Option(help="One service by its full name; empty means the whole server.")]
Authority = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, readable=True, help="PEM file to trust, for a server with TLS.")
]

AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def state(server: str, service: str = "", authority: Path | None = None) -> str:
    """`SERVING`, another state of the health protocol, or why there was no answer."""
    if authority is None:
        channel = grpc.insecure_channel(server)
    else:
        channel = grpc.secure_channel(server, grpc.ssl_channel_credentials(authority.read_bytes()))
    with channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)
        except grpc.RpcError as error:
            return f"{error.code().name}: {error.details()}"
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def health(server: Server = DEFAULT_SERVER, service: Service = "", tls_ca: Authority = None, json: AsJson = False) -> None:
    """Asks a server whether it serves: exit code 0 when it does, else 1."""
    found = state(server, service, tls_ca)
    typer.echo(json_module.dumps({"ok": found == SERVING, "state": found}) if json else found)
    raise typer.Exit(0 if found == SERVING else 1)


if __name__ == "__main__":
    said = state(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_SERVER)
    sys.stdout.write(said + "\n")
    sys.exit(said != SERVING)
