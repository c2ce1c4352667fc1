"""`waybill service-keys`: pairs of keys with which services sign their calls to each other."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from libs.auth.service_keys import new_pair
from libs.private import private_file
from libs.service.startup import StartupError
from services.host.contexts import CONTEXTS
from services.host.database_options import require_context
from services.host.remote.server_options import AsJson

service_keys = typer.Typer(no_args_is_help=True, help="Keys with which services sign their calls to each other.")
out = Console()

Service = Annotated[str, typer.Argument(callback=require_context, help="One of " + ", ".join(CONTEXTS))]
Folder = Annotated[Path, typer.Option(file_okay=False, help="Where the keys are put: FOLDER/private and FOLDER/public.")]


class KeyExists(StartupError):
    """There is a key already, which a new one would end."""

    exit_code = 2
    reason = "KEY_EXISTS"


@service_keys.callback()
def _group() -> None:
    """Keys with which services sign their calls to each other."""


@service_keys.command()
def new(service: Service, folder: Folder = Path(), json: AsJson = False) -> None:
    """Makes a pair of keys for a service: the private one for its own processes, the public one for those of all services."""
    private, public = (folder / kind / f"{service}.pem" for kind in ("private", "public"))
    for path in (private, public):
        if path.exists():
            raise KeyExists(f"{path} is there already: put the new pair into another folder, or remove it")
    secret, shown = new_pair()
    try:
        private_file(private)
        private.write_text(secret)
        public.parent.mkdir(parents=True, exist_ok=True)
        public.write_text(shown)
    except OSError as error:
        raise StartupError(f"{error.filename} cannot be written: {error.strerror}") from None
    if json:
        typer.echo(json_module.dumps({"service": service, "private": str(private), "public": str(public)}))
        return
    out.print(f"{private}  for processes of {service}: WAYBILL_SERVICE_KEY", highlight=False, soft_wrap=True)
    out.print(
        f"{public}  for processes of every service, in the folder WAYBILL_SERVICE_PUBLIC_KEYS", highlight=False, soft_wrap=True
    )
