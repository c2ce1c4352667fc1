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
    out.print("Not in it: the service secret. In it, and to be kept as one: the keys that sign users' tokens.", soft_wrap=True)


def restore(directory: Folder, data: Data = None, database_url: DatabaseUrl = "", json: AsJson = False) -> None:
    """Loads an archive into empty databases; the services must not run."""
    manifest = _run(lambda progress: load_archive(settings(data=data, database_url=database_url), directory, progress))
    if json:
        typer.echo(json_module.dumps(_summary(directory, manifest)))
        return
    _show(manifest)
    out = Console()
    out.print(f"[green]restored[/green] the state of {manifest.made.isoformat(timespec='seconds')}", highlight=False)
    out.print("Next: start the services, then `waybill check --reconcile`.")


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
    return {"archive": str(folder), "made": manifest.made.isoformat(), "rows": manifest.rows, "contexts": contexts}


def _show(manifest: Manifest) -> None:
    table = Table("service", "database", "revision", "tables", "rows", box=None)
    for name, part in manifest.contexts.items():
        table.add_row(name, part.engine, part.revision, str(len(part.tables)), f"{part.rows:,}")
    put(Console(), table)
