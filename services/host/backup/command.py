"""`waybill backup` and `waybill restore`."""

from __future__ import annotations

import asyncio
import errno
import json as json_module
import os
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from libs.db.startup import DatabaseUrlError
from libs.errors import WaybillError
from libs.obs import configure_logging
from libs.service.startup import StartupError
from services.host.backup.archive import Manifest
from services.host.backup.consistent_cut import backup as make_backup
from services.host.backup.restore import restore as load_archive
from services.host.backup.source import Tell
from services.host.process.lock import InUse
from services.host.process.settings import HostSettings, from_environment

T = TypeVar("T")
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the archive.")]
Data = Annotated[Path | None, typer.Option(help="Folder of the SQLite files; default in the user's data directory.")]
DatabaseUrl = Annotated[str, typer.Option(help="PostgreSQL instead of SQLite files, a schema per service.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
REFUSED = 2
"""Exit code: nothing was done, and why is said."""


def backup(directory: Folder, data: Data = None, database_url: DatabaseUrl = "", json: AsJson = False) -> None:
    """Writes an archive of all seven databases as they were at one moment, while the services run."""
    made = _run(json, lambda tell: make_backup(_settings(data, database_url), directory, tell))
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
    manifest = _run(json, lambda tell: load_archive(_settings(data, database_url), directory, tell))
    if json:
        typer.echo(json_module.dumps(_summary(directory, manifest)))
        return
    _show(manifest)
    out = Console()
    out.print(f"[green]restored[/green] the state of {manifest.made.isoformat(timespec='seconds')}", highlight=False)
    out.print("Next: start the services, then `waybill check --reconcile`.")


def _settings(data: Path | None, database_url: str) -> HostSettings:
    try:
        values = from_environment(os.environ)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    values |= {"data": data} if data else {}
    values |= {"database_url": database_url} if database_url else {}
    return HostSettings(**values)  # type: ignore[arg-type]


def _run(json: bool, work: Callable[[Tell], Awaitable[T]]) -> T:
    configure_logging("WARNING")
    err = Console(stderr=True)
    try:
        with err.status("connecting", spinner="line") as status:

            async def run() -> T:
                return await work(lambda context, what: status.update(f"{context} {what}".strip()))

            return asyncio.run(run())
    except WaybillError as refused:
        reason, message, metadata = refused.reason, refused.message, refused.metadata
    except InUse as error:
        reason, message, metadata = "DATABASE_IN_USE", str(error), {}
    except StartupError as error:
        reason = "DATABASE_URL_INVALID" if isinstance(error, DatabaseUrlError) else "DATABASE_UNAVAILABLE"
        message, metadata = str(error), {}
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error) as error:
        local = isinstance(error, OSError) and (error.filename or error.errno in (errno.ENOSPC, errno.EDQUOT))
        reason, metadata = ("FILE_FAILED" if local else "DATABASE_UNAVAILABLE"), {}
        message = f"{type(error).__name__}: {error}"
    if json:
        typer.echo(json_module.dumps({"error": {"reason": reason, "message": message, "metadata": metadata}}))
    else:
        err.print(f"{reason}: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(REFUSED)


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
    Console().print(table)
