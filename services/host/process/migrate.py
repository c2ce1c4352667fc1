"""`waybill migrate`."""

from __future__ import annotations

import asyncio
import json as json_module
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from libs.db import Database
from libs.db.migrate import Migrated, upgrade
from libs.db.startup import SchemaError
from libs.errors import WaybillError
from libs.obs import configure_logging
from libs.service.startup import StartupError
from services.host.contexts import CONTEXTS
from services.host.database_options import Data, DatabaseUrl, require_context
from services.host.database_options import settings as given_settings
from services.host.process.databases import wait_for_databases
from services.host.process.lock import MIGRATING, alone
from services.host.process.settings import HostSettings
from services.host.remote.server_options import AsJson

SERVICES = Path(__file__).resolve().parents[2]
PATIENCE = 5.0
"""Seconds that SQLite files may be in use by another process that does not say that it migrates: one that has just begun, or one
that serves and does not end."""
out = Console()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one context's database."""

    context: str
    migrated: Migrated


def versions_of(context: str) -> Path:
    """The folder of a context's migrations."""
    return SERVICES / context / "migrations" / "versions"


async def migrate_all(host: HostSettings, contexts: tuple[str, ...] = CONTEXTS) -> list[Outcome]:
    """Migrates the contexts' databases, one after the other. Raises `StartupError`."""
    await wait_for_databases(host, contexts)
    async with alone(host, contexts, PATIENCE, MIGRATING):
        return [Outcome(context, await _migrate(host, context)) for context in contexts]


async def _migrate(host: HostSettings, context: str) -> Migrated:
    url, schema = host.database(context)
    database = await Database.open(url, schema, host.tuning_of(context))
    try:
        return await upgrade(database, versions_of(context))
    except SchemaError as error:
        raise SchemaError(f"database of {context} {error}") from None
    except WaybillError as error:
        raise StartupError(f"database of {context}: {error.message}; nothing of it was migrated") from error
    finally:
        await database.close()


def migrate(
    data: Data = None,
    database_url: DatabaseUrl = "",
    only: Annotated[list[str] | None, typer.Option(help="One service; can be repeated: " + ", ".join(CONTEXTS))] = None,
    json: AsJson = False,
) -> None:
    """Brings every service's database to this build's revision. Can be repeated, and run from several places at once."""
    for context in only or []:
        require_context(context)
    configure_logging("WARNING")
    settings = given_settings(data=data, database_url=database_url)
    show(asyncio.run(migrate_all(settings, tuple(only or CONTEXTS))), json)


def show(outcomes: list[Outcome], as_json: bool) -> None:
    """From which to which revision, for each context."""
    if as_json:
        rows = [
            {"context": o.context, "from": o.migrated.before, "to": o.migrated.after, "changed": o.migrated.changed}
            for o in outcomes
        ]
        out.print_json(json_module.dumps(rows))
        return
    for o in outcomes:
        before, after = o.migrated.before or "empty", o.migrated.after
        what = f"{before} -> {after}" if o.migrated.changed else f"{after}, nothing to do"
        out.print(f"{o.context:<12} {what}", highlight=False)
