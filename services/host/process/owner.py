"""`waybill owner`: the way back in for whoever commands the databases."""

from __future__ import annotations

import asyncio
import json as json_module
from pathlib import Path

import typer

from libs.clock import SystemClock
from libs.db.url import parsed_url
from libs.obs import configure_logging
from libs.service.startup import StartupError
from services.directory.application.bootstrap import OneTimeSecret
from services.directory.main import reset_owner_secret
from services.host.database_options import Data, DatabaseUrl
from services.host.database_options import settings as given_settings
from services.host.process.databases import wait_for_databases
from services.host.process.embedded import settings_of
from services.host.process.serve import out, show_secret
from services.host.process.settings import HostSettings
from services.host.remote.server_options import AsJson

owner = typer.Typer(no_args_is_help=True, help="The marketplace's owner.")


class NoMarketplace(StartupError):
    """There is nothing to command."""

    exit_code = 2
    reason = "MARKETPLACE_MISSING"


@owner.callback()
def _group() -> None:
    """The marketplace's owner."""


@owner.command("reset-secret")
def reset_secret(data: Data = None, database_url: DatabaseUrl = "", json: AsJson = False) -> None:
    """Gives the owner's client a new secret and prints it, once. The former one ends at once. No service is needed."""
    configure_logging("WARNING")
    settings = given_settings(data=data, database_url=database_url)
    require_file(settings)
    made = asyncio.run(_reset(settings))
    if json:
        typer.echo(json_module.dumps({"client_id": made.client_id, "client_secret": made.client_secret}))
        return
    out.print("The owner's new secret, shown this once:")
    show_secret(made)


def require_file(host: HostSettings) -> None:
    """Raises `NoMarketplace`: opening a SQLite file that does not exist would make it."""
    parsed = parsed_url(host.database("directory")[0])
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        raise NoMarketplace(f"there is no marketplace: {parsed.database} does not exist")


async def _reset(host: HostSettings) -> OneTimeSecret:
    await wait_for_databases(host, ("directory",))
    made = await reset_owner_secret(settings_of(host, "directory"), SystemClock())
    if made is None:
        raise NoMarketplace("the marketplace was never set up: start `waybill serve`, which prints the first secret")
    return made
