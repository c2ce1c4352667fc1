"""What a restore needs of a database, and what it refuses."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from libs.db.migrate import config
from libs.errors import WaybillError, precondition
from libs.relay.change_feed import restored
from libs.relay.changes import keeps_changes
from libs.relay.feed import new_epoch
from services.host.backup import reasons
from services.host.backup.archive import Manifest
from services.host.backup.source import Progress

SERVICES = Path(__file__).resolve().parents[2]
FEEDS = {"order": ("order_events", "order_feed_epochs")}
"""Tables of the event feeds that are history too, and of their epochs."""


class Target(Protocol):
    """One database that is to hold one or more contexts."""

    async def check(self) -> None:
        """Raises `DATABASE_NOT_EMPTY`."""

    async def load(self, folder: Path, manifest: Manifest, progress: Progress, new_keys: bool = False) -> None:
        """Loads all of it, but for the keys of tokens when there are to be new ones, to be seen by nobody before `commit`."""

    async def commit(self) -> None:
        """Makes it durable."""

    async def close(self) -> None:
        """Ends every connection; undoes what was not committed."""


def versions(context: str) -> Path:
    """The migrations of a context."""
    return SERVICES / context / "migrations" / "versions"


def owned(context: str) -> set[str]:
    """The tables that a service of this build keeps its data in; others belong to the migrations."""
    return {table.name for table in _metadata(context).tables.values()}


def _metadata(context: str) -> sa.MetaData:
    tables: sa.MetaData = importlib.import_module(f"services.{context}.adapters.db.tables").METADATA
    return tables


def feed_statements(context: str, prefix: str = "") -> list[str]:
    """What begins a new epoch of the context's feed, in which outsiders hold positions."""
    if keeps_changes(_metadata(context)):
        return restored(prefix)
    if context not in FEEDS:
        return []
    events, epochs = FEEDS[context]
    return new_epoch(prefix + events, prefix + epochs)


def require_known(context: str, revision: str) -> None:
    """Raises `ARCHIVE_NEWER` when this build does not know the revision."""
    try:
        ScriptDirectory.from_config(config(versions(context))).get_revision(revision)
    except CommandError:
        message = f"the archive's tables of {context} are at revision {revision}, which this build does not know"
        raise precondition(reasons.ARCHIVE_NEWER, message, context=context, revision=revision) from None


OWN_ROWS = {("catalog", "catalogs"): "id <> 'main'"}
"""By context and table with a row that is there from the start: what holds of all others."""


def somebodys(context: str, table: str) -> str:
    """The condition on rows of a table that somebody has put there."""
    return OWN_ROWS.get((context, table), "1 = 1")


def not_empty(context: str, table: str) -> WaybillError:
    """Somebody's data is there."""
    message = f"the database of {context} has rows in {table}: a restore goes into empty databases only"
    return precondition(reasons.DATABASE_NOT_EMPTY, message, context=context, table=table)


def wrong_revision(context: str, found: str, wanted: str) -> WaybillError:
    """The database is empty but newer than the archive."""
    message = f"the tables of {context} are at revision {found}, the archive's at {wanted}: drop them first"
    return precondition(reasons.REVISION_MISMATCH, message, context=context, revision=found)


def wrong_rows(context: str, table: str, found: int, wanted: int) -> WaybillError:
    """The archive says otherwise."""
    message = f"{table} of {context} has {found} rows, the archive's manifest says {wanted}"
    return precondition(reasons.ARCHIVE_INVALID, message, context=context, table=table)
