"""`waybill sealing-key`: the key that seals the keys of tokens in the database."""

from __future__ import annotations

import asyncio
import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from libs.obs import configure_logging
from libs.sealing import SealingKeys, new_key
from services.directory.main import forget_keys
from services.host.database_options import Data, DatabaseUrl
from services.host.database_options import settings as given_settings
from services.host.process.databases import wait_for_databases
from services.host.process.embedded import settings_of
from services.host.process.keys.sealing_keys import write_key
from services.host.process.keys.service_keys_command import KeyExists
from services.host.process.lock import alone
from services.host.process.owner import require_file
from services.host.process.settings import HostSettings
from services.host.remote.server_options import AsJson

sealing_key = typer.Typer(no_args_is_help=True, help="The key that seals the keys of tokens in the database.")
out = Console()
File = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="Where the key is put; readable by its owner alone.")]


@sealing_key.callback()
def _group() -> None:
    """The key that seals the keys of tokens in the database."""


@sealing_key.command()
def new(file: File, json: AsJson = False) -> None:
    """Makes a sealing key for WAYBILL_SEALING_KEY_FILE, and prints its fingerprint. Keep it apart from the database."""
    text = new_key()
    try:
        write_key(file, text)
    except FileExistsError:
        raise KeyExists(f"{file} is there already: another key in its place would open nothing that it has sealed") from None
    fingerprint = SealingKeys.read(text).first
    if json:
        typer.echo(json_module.dumps({"file": str(file), "fingerprint": fingerprint}))
        return
    out.print(
        f"{file}  the sealing key {fingerprint}: WAYBILL_SEALING_KEY_FILE of the directory", highlight=False, soft_wrap=True
    )


@sealing_key.command()
def lost(data: Data = None, database_url: DatabaseUrl = "", json: AsJson = False) -> None:
    """Drops every key of tokens, since their sealing key is lost. The next start makes one, and everyone signs in again."""
    configure_logging("WARNING")
    settings = given_settings(data=data, database_url=database_url)
    require_file(settings)
    dropped = asyncio.run(_dropped(settings))
    if json:
        typer.echo(json_module.dumps({"dropped": dropped}))
        return
    out.print(f"dropped {dropped} keys of tokens; the next start of the directory makes one", highlight=False, soft_wrap=True)


async def _dropped(host: HostSettings) -> int:
    await wait_for_databases(host, ("directory",))
    async with alone(host, ("directory",)):
        return await forget_keys(settings_of(host, "directory"))
