"""What the cut needs of a database, whichever it is."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Protocol

from libs.db.url import parsed_url
from libs.errors import WaybillError, precondition
from services.host.backup import reasons
from services.host.backup.archive import ContextPart
from services.host.contexts import CONTEXTS
from services.host.process.settings import HostSettings

Progress = Callable[[str, str], None]
"""Notes progress: (context, what is being done)."""


class NotHeld(Exception):
    """The writers could not be fenced in the time given; nothing is held."""


class Source(Protocol):
    """One database with one or more contexts."""

    async def hold(self, seconds: float) -> None:
        """Keeps writers out, and readers not. Raises `NotHeld` when it takes longer than `seconds`."""

    async def look(self) -> None:
        """Fixes what `copy` will see, while writers are out."""

    async def release(self) -> None:
        """Lets the writers in again; whatever was looked at stays. Harmless when nothing is held."""

    async def copy(self, folder: Path, progress: Progress) -> dict[str, ContextPart]:
        """Writes the contexts as they were looked at."""

    async def close(self) -> None:
        """Ends every connection."""


async def all_of(steps: Iterable[Awaitable[None]]) -> None:
    """Runs steps side by side, each to its end; then raises what went wrong, `NotHeld` only if nothing else did."""
    failed = [e for e in await asyncio.gather(*steps, return_exceptions=True) if e is not None]
    if failed:
        raise next((error for error in failed if not isinstance(error, NotHeld)), failed[0])


def databases(settings: HostSettings) -> tuple[dict[str, Path], dict[str, dict[str, str]]]:
    """SQLite's files by context, and by PostgreSQL's URLs the schemas of their contexts. Raises `DatabaseUrlError`."""
    files: dict[str, Path] = {}
    schemas: dict[str, dict[str, str]] = defaultdict(dict)
    for context in CONTEXTS:
        url, schema = settings.database(context)
        parsed = parsed_url(url)
        if parsed.get_backend_name() == "sqlite":
            files[context] = Path(parsed.database or "")
        else:
            schemas[url][context] = schema or "public"
    return files, schemas


def no_tables(context: str, where: str) -> WaybillError:
    """There is nothing to back up."""
    message = f"{context} has no tables in {where}: is this the database that the services use?"
    return precondition(reasons.DATABASE_MISSING, message, context=context)
