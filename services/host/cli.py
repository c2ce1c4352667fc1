"""The command line: `waybill serve`, `waybill demo`, `waybill check`, `waybill import northwind`."""

from __future__ import annotations

import asyncio
import ipaddress
import json as json_module
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from libs.db.startup import StartupError
from libs.obs import configure_logging
from services.host.backup.command import backup, restore
from services.host.config import config
from services.host.demo.command import demo
from services.host.health import health
from services.host.migrate import migrate
from services.host.northwind.command import import_northwind
from services.host.operate.holds import holds
from services.host.operate.outbox import outbox
from services.host.operate.payments import payments
from services.host.operate.submissions import submissions
from services.host.settings import CONTEXTS, DEFAULT_PORT, HostSettings, default_data, from_environment

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Waybill: an order and fulfillment engine.")
imports = typer.Typer(no_args_is_help=True, help="Loads other data as a marketplace.")
app.add_typer(imports, name="import")
imports.command("northwind")(import_northwind)
app.command()(demo)
app.command()(health)
app.command()(config)
app.command()(backup)
app.command()(restore)
app.command()(migrate)
for group, name in (
    (submissions, "submissions"), (outbox, "outbox"), (payments, "payments"), (holds, "holds"),
):  # fmt: skip
    app.add_typer(group, name=name)
DEFAULT_SERVER = f"127.0.0.1:{DEFAULT_PORT}"
out = Console()
err = Console(stderr=True)

Data = Annotated[Path | None, typer.Option(help="Folder of the SQLite files; default in the user's data directory.")]
DatabaseUrl = Annotated[str, typer.Option(help="PostgreSQL instead of SQLite files, a schema per service.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def host_settings(**given: Any) -> HostSettings:
    """Settings of the environment, beaten by those given."""
    try:
        values = from_environment(os.environ)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    values.update({key: value for key, value in given.items() if value not in (None, "")})
    return HostSettings(**values)  # type: ignore[arg-type]


@app.command()
def serve(
    data: Data = None,
    database_url: DatabaseUrl = "",
    bind: Annotated[str, typer.Option(help="host:port to listen on.")] = f"127.0.0.1:{DEFAULT_PORT}",
    only: Annotated[str, typer.Option(help="One service: " + ", ".join(CONTEXTS))] = "",
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM file.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="No TLS although others can reach it.")] = False,
    metrics_bind: Annotated[str, typer.Option(help="host:port for Prometheus; nowhere unless it is given.")] = "",
    no_migrate: Annotated[
        bool, typer.Option("--no-migrate", help="Refuse a database older than this build instead of migrating it.")
    ] = False,
    log_level: Annotated[str, typer.Option()] = "INFO",
    log_json: Annotated[bool, typer.Option("--log-json")] = False,
) -> None:
    """Serves the marketplace: every service in this process, or one of them."""
    if only and only not in CONTEXTS:
        raise typer.BadParameter(f"there is no service {only!r}: one of {', '.join(CONTEXTS)}")
    if not _loopback(bind) and tls_certificate is None and not insecure:
        raise typer.BadParameter("an address that others can reach needs --tls-certificate and --tls-key, or --insecure")
    configure_logging(log_level, log_json)
    settings = host_settings(
        data=data or default_data(), database_url=database_url, bind=bind, only=only,
        tls_certificate=tls_certificate, tls_key=tls_key, metrics_bind=metrics_bind, migrate=False if no_migrate else None,
    )  # fmt: skip
    asyncio.run(_serve(settings))


def _loopback(bind: str) -> bool:
    host = bind.rsplit(":", 1)[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _serve(settings: HostSettings) -> None:
    from services.host.embedded import running

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings) as host:
        out.print(f"[bold]waybill[/bold] serves {', '.join(host.apps)} on [bold]{host.address}[/bold]")
        if host.metrics_address:
            out.print(f"metrics: http://{host.metrics_address}/metrics", highlight=False, soft_wrap=True)
        where = "PostgreSQL" if settings.database_url else str(settings.data)
        out.print(f"data: {where}", highlight=False, soft_wrap=True)
        if host.secret is not None:
            out.print("A new marketplace. The owner's secret, shown this once:")
            out.print(f"  client id      {host.secret.client_id}", highlight=False)
            out.print(f"  client secret  {host.secret.client_secret}", highlight=False, soft_wrap=True)
        sys.stdout.flush()
        await stop.wait()
        out.print("stopping")


@app.command()
def check(
    server: Annotated[
        list[str] | None,
        typer.Option(help="host:port of a running marketplace; one for each server, the directory's first."),
    ] = None,
    client_id: Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_ID")] = "waybill-admin",
    client_secret: Annotated[str, typer.Option(envvar="WAYBILL_CLIENT_SECRET")] = "",
    json: AsJson = False,
    reconcile: Annotated[
        bool,
        typer.Option(
            "--reconcile",
            help="After a restore: first retries what is parked and waits until the services have finished what they found.",
        ),
    ] = False,
    patience: Annotated[float, typer.Option(help="Seconds that --reconcile waits at most.")] = 300.0,
) -> None:
    """Proves the books: every service's invariants, and what only a comparison between them can show."""
    wait = patience if reconcile else None
    raise typer.Exit(asyncio.run(_check(server or [DEFAULT_SERVER], client_id, client_secret, json, wait)))


async def _check(servers: list[str], client_id: str, client_secret: str, as_json: bool, reconciling: float | None) -> int:
    from services.host.check import check as audit
    from services.host.check import show
    from services.host.reconcile import reconciled
    from waybill_client import AsyncWaybill

    async with AsyncWaybill(servers[0], client_id, client_secret) as client:
        settled = reconciling is None or await reconciled(client, servers, reconciling, err)
        report = await audit(client, servers)
    if reconciling is not None and report.parked:
        settled = False
    if as_json:
        out.print_json(json_module.dumps(show.as_json(report)))
    else:
        show.show(report, out)
    return 0 if report.ok and settled else 1


def main() -> None:
    """Entry point. A database that no command can work with is one line."""
    try:
        app()
    except StartupError as error:
        err.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
