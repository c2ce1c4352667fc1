"""`waybill serve`: the marketplace, or one service of it, until a signal ends it."""

from __future__ import annotations

import asyncio
import ipaddress
import json as json_module
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from libs.obs import configure_logging
from libs.obs.endpoint import address as metrics_address
from services.host.addresses import require_callable, require_free
from services.host.contexts import CONTEXTS, DEFAULT_SERVER
from services.host.database_options import Data, DatabaseUrl, require_context
from services.host.database_options import settings as given_settings
from services.host.process import event_loop
from services.host.process.embedded import Host, running
from services.host.process.garbage_collection import settle
from services.host.process.memory import given_back
from services.host.process.settings import HostSettings
from services.host.remote.server_options import AsJson

if TYPE_CHECKING:
    from services.directory.application.bootstrap import OneTimeSecret

out = Console()


class Level(StrEnum):
    """What a log holds: this and what is more urgent."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


def serve(
    data: Data = None,
    database_url: DatabaseUrl = "",
    bind: Annotated[str, typer.Option(help="host:port to listen on.", show_default=DEFAULT_SERVER)] = "",
    service_bind: Annotated[
        str, typer.Option(help="With --only: host:port for the other services; by default the next port after --bind's.")
    ] = "",
    only: Annotated[str, typer.Option(callback=require_context, help="One service: " + ", ".join(CONTEXTS))] = "",
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM file.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="No TLS although others can reach it.")] = False,
    metrics_bind: Annotated[str, typer.Option(help="host:port for Prometheus; nowhere unless it is given.")] = "",
    no_migrate: Annotated[
        bool, typer.Option("--no-migrate", help="Refuse a database older than this build instead of migrating it.")
    ] = False,
    log_level: Annotated[Level, typer.Option(case_sensitive=False)] = Level.INFO,
    log_json: Annotated[bool, typer.Option("--log-json")] = False,
    json: AsJson = False,
) -> None:
    """Serves the marketplace: every service in this process, or one of them."""
    configure_logging(log_level, log_json)
    settings = given_settings(
        data=data,
        database_url=database_url,
        bind=bind,
        service_bind=service_bind,
        only=only,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        metrics_bind=metrics_bind,
        migrate=False if no_migrate else None,
    )
    _require_listening(settings)
    binds = [settings.bind] if settings.service_tls_ca is not None else [settings.bind, settings.inner_bind]
    if not all(_loopback(bind) for bind in binds) and settings.tls_certificate is None and not insecure:
        raise typer.BadParameter("an address that others can reach needs --tls-certificate and --tls-key, or --insecure")
    settings.require_secret()
    event_loop.run(_serve(settings, json))


def _require_listening(settings: HostSettings) -> None:
    """Raises `AddressError` when the process could not listen, or could not call the services that its settings name."""
    require_free("--bind", settings.bind)
    require_free("--service-bind", settings.inner_bind)
    if settings.metrics_bind:
        require_free("--metrics-bind", settings.metrics_bind, metrics_address)
    for address in settings.addresses.values():
        require_callable(address)


def _loopback(bind: str) -> bool:
    host = bind.rsplit(":", 1)[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def show_secret(secret: OneTimeSecret) -> None:
    """For people."""
    out.print(f"  client id      {secret.client_id}", highlight=False)
    out.print(f"  client secret  {secret.client_secret}", highlight=False, soft_wrap=True)


def _show(host: Host, settings: HostSettings) -> None:
    """For people: what is served, where, and from which data."""
    served = f"[bold]waybill[/bold] serves {', '.join(host.apps)} on [bold]{host.address}[/bold]"
    out.print(served, emoji=False, soft_wrap=True)
    if settings.only:
        out.print(f"services reach it on {host.inner_address}", highlight=False, soft_wrap=True)
    if host.metrics_address:
        out.print(f"metrics: http://{host.metrics_address}/metrics", highlight=False, soft_wrap=True)
    out.print(f"data: {_where(settings)}", highlight=False, soft_wrap=True)
    if host.secret is not None:
        out.print("A new marketplace. The owner's secret, shown this once:")
        show_secret(host.secret)


def as_json(host: Host, settings: HostSettings) -> dict[str, Any]:
    """The same for machines, as one line. The client's id and secret are there at the first start only."""
    said: dict[str, Any] = {"services": list(host.apps), "address": host.address, "data": _where(settings)}
    if settings.only:
        said["inner_address"] = host.inner_address
    if host.metrics_address:
        said["metrics"] = f"http://{host.metrics_address}/metrics"
    if host.secret is not None:
        said |= {"client_id": host.secret.client_id, "client_secret": host.secret.client_secret}
    return said


def _where(settings: HostSettings) -> str:
    return "PostgreSQL" if settings.database_url else str(settings.data)


async def _serve(settings: HostSettings, json: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings) as host:
        settle()
        if json:
            typer.echo(json_module.dumps(as_json(host, settings)))
        else:
            _show(host, settings)
        sys.stdout.flush()
        async with given_back():
            await stop.wait()
        if not json:
            out.print("stopping")
