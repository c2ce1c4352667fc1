"""`waybill backup` and `waybill restore`."""

from __future__ import annotations

import asyncio
import json as json_module
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from libs.obs import configure_logging
from services.host.backup.archive import Manifest
from services.host.backup.consistent_cut import backup as make_backup
from services.host.backup.restore import restore as load_archive
from services.host.backup.source import Progress
from services.host.database_options import Data, DatabaseUrl, settings
from services.host.failure import REFUSED, explained
from services.host.remote.server_options import AsJson
from services.host.tables import put

T = TypeVar("T")
Folder = Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="Folder of the archive.")]


def backup(directory: Folder, data: Data = None, database_url: DatabaseUrl = "", json: AsJson = False) -> None:
    """Writes an archive of all seven databases as they were at one moment, while the services run."""
    made = _run(lambda progress: make_backup(settings(data=data, database_url=database_url), directory, progress))
    fenced = round(made.fenced * 1000, 1)
    if json:
        extra = {"fenced_milliseconds": fenced, "attempts": made.attempts}
        typer.echo(json_module.dumps(_summary(directory, made.manifest) | extra))
        return
    _show(made.manifest)
    out = Console()
    out.print(f"[green]backed up[/green] to {directory}; writers waited at most {fenced:g} ms", soft_wrap=True, highlight=False)
    out.print("Not in it: the service secret.", soft_wrap=True)
    out.print(_said_of_keys(made.manifest), soft_wrap=True, highlight=False)


def restore(
    directory: Folder,
    data: Data = None,
    database_url: DatabaseUrl = "",
    new_keys: Annotated[
        bool,
        typer.Option("--new-keys", help="Without the keys of tokens, when the sealing key is lost: everyone signs in again."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Loads an archive into empty databases; the services must not run."""
    host = settings(data=data, database_url=database_url)
    manifest = _run(lambda progress: load_archive(host, directory, progress, new_keys))
    if json:
        typer.echo(json_module.dumps(_summary(directory, manifest) | {"new_keys": new_keys}))
        return
    _show(manifest)
    out = Console()
    out.print(f"[green]restored[/green] the state of {manifest.made.isoformat(timespec='seconds')}", highlight=False)
    if new_keys:
        out.print("The keys of tokens were dropped; the next start makes one, and everyone signs in again.", soft_wrap=True)
    out.print("Next: start the services, then `waybill check --reconcile`.")


def _said_of_keys(manifest: Manifest) -> str:
    if manifest.lies_open:
        return "In it, not sealed, and to be kept as they are: keys that sign users' tokens."
    if not manifest.sealing_keys:
        return "In it is no key that signs users' tokens."
    keys = ", ".join(sorted(manifest.sealing_keys))
    return f"Not in it, and needed by a restore: the sealing key {keys}. It seals the keys of tokens: keep it in another place."


def _run(work: Callable[[Progress], Awaitable[T]]) -> T:
    """Does the work and shows how far it is. Every failure ends with `REFUSED`: nothing was done, and why is said."""
    configure_logging("WARNING")
    try:
        with Console(stderr=True).status("connecting", spinner="line") as status:

            async def run() -> T:
                return await work(lambda context, what: status.update(f"{context} {what}".strip()))

            return asyncio.run(run())
    except Exception as error:
        failure = explained(error)
        if failure is None:
            raise
        failure.exit_code = REFUSED
        raise failure from error


def _summary(folder: Path, manifest: Manifest) -> dict[str, Any]:
    contexts = {
        name: {"engine": part.engine, "revision": part.revision, "tables": len(part.tables), "rows": part.rows}
        for name, part in manifest.contexts.items()
    }
    return {
        "archive": str(folder),
        "made": manifest.made.isoformat(),
        "rows": manifest.rows,
        "contexts": contexts,
        **_keys(manifest),
    }


def _keys(manifest: Manifest) -> dict[str, Any]:
    """The keys that seal what is secret in the archive, and which it does not hold."""
    keys = {"sealing_keys": sorted(manifest.sealing_keys), "sealing_keys_in_archive": False}
    return {**keys, "unsealed_keys_in_archive": manifest.lies_open}


def _show(manifest: Manifest) -> None:
    table = Table("service", "database", "revision", "tables", "rows", box=None)
    for name, part in manifest.contexts.items():
        table.add_row(name, part.engine, part.revision, str(len(part.tables)), f"{part.rows:,}")
    put(Console(), table)
