"""One consistent cut over all databases.

A transaction of a service is one database's, and makes no remote call. So the moment in which no transaction that has
written is open in any database is a state the marketplace was really in, whatever number of replicas runs.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from libs.errors import Kind, WaybillError
from services.host.backup import archive, reasons
from services.host.backup.archive import ContextPart, Manifest
from services.host.backup.postgresql import PostgresSource
from services.host.backup.source import NotHeld, Progress, Source, all_of, databases
from services.host.backup.sqlite import SqliteSource
from services.host.contexts import CONTEXTS
from services.host.process.settings import HostSettings


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished archive."""

    manifest: Manifest
    fenced: float
    """Seconds that a writer may have waited: the longest attempt."""
    attempts: int


async def backup(settings: HostSettings, folder: Path, progress: Progress) -> Backup:
    """Writes an archive of all contexts. Raises `ARCHIVE_EXISTS`, `DATABASE_MISSING`, `BACKUP_CONTENDED`."""
    sources = await open_sources(settings)
    try:
        with archive.folder_for(folder):
            made, fenced, attempts = await _cut(sources, settings.backup_fence, settings.backup_tries)
            contexts: dict[str, ContextPart] = {}
            for source in sources:
                contexts |= await source.copy(folder, progress)
            ordered = {context: contexts[context] for context in CONTEXTS}
            return Backup(await asyncio.to_thread(archive.finish, folder, made, ordered), fenced, attempts)
    finally:
        for source in sources:
            await source.close()


async def open_sources(settings: HostSettings) -> list[Source]:
    """Every database of the marketplace, once."""
    files, schemas = databases(settings)
    sources: list[Source] = []
    try:
        for context, path in files.items():
            sources.append(SqliteSource(context, path))
        for url, contexts in schemas.items():
            sources.append(await PostgresSource.open(url, contexts))
    except BaseException:
        for source in sources:
            await source.close()
        raise
    return sources


async def _cut(sources: Sequence[Source], fence: float, tries: int) -> tuple[datetime, float, int]:
    longest = 0.0
    for attempt in range(1, tries + 1):
        begun, held = time.monotonic(), False
        try:
            await all_of(source.hold(fence) for source in sources)
            await all_of(source.look() for source in sources)
            made, held = datetime.now(UTC), True
        except NotHeld:
            pass
        finally:
            await all_of(source.release() for source in sources)
        longest = max(longest, time.monotonic() - begun)
        if held:
            return made, longest, attempt
        # The writers that waited go first.
        await asyncio.sleep(random.uniform(0.1, 0.3))
    raise WaybillError(
        Kind.UNAVAILABLE,
        reasons.BACKUP_CONTENDED,
        f"a transaction stayed open all the time: the writers could not be fenced in {tries} attempts",
    )
