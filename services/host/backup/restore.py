"""Loads an archive into empty databases of the same kind."""

from __future__ import annotations

import asyncio
from pathlib import Path

from libs.errors import precondition
from services.host.backup import archive, reasons
from services.host.backup.archive import Manifest
from services.host.backup.postgresql_target import PostgresTarget
from services.host.backup.sealed import require_keys
from services.host.backup.source import Progress, databases
from services.host.backup.sqlite_target import SqliteTarget
from services.host.backup.target import Target
from services.host.contexts import CONTEXTS
from services.host.process.lock import alone
from services.host.process.settings import HostSettings


async def restore(settings: HostSettings, folder: Path, progress: Progress, new_keys: bool = False) -> Manifest:
    """Restores all contexts, or none of those that share a database; with `new_keys` without the keys of tokens.

    Raises `ARCHIVE_INVALID`, `ARCHIVE_NEWER`, `ENGINE_MISMATCH`, `DATABASE_NOT_EMPTY`, `REVISION_MISMATCH`,
    `SEALING_KEY_MISMATCH`.
    """
    progress("", "verifying the archive")
    manifest = await asyncio.to_thread(archive.read, folder)
    if missing := [context for context in CONTEXTS if context not in manifest.contexts]:
        raise archive.bad(folder, f"it lacks {', '.join(missing)}")
    _require_same_engines(settings, manifest)
    if not new_keys:
        require_keys(settings, manifest)
    targets = await _open_targets(settings)
    try:
        for target in targets:
            await target.check()
        async with alone(settings, CONTEXTS):
            for target in targets:
                await target.load(folder, manifest, progress, new_keys)
            for target in targets:
                await target.commit()
    finally:
        for target in targets:
            await target.close()
    return manifest


def _require_same_engines(settings: HostSettings, manifest: Manifest) -> None:
    files, _ = databases(settings)
    for context in CONTEXTS:
        here = "sqlite" if context in files else "postgresql"
        there = manifest.contexts[context].engine
        if here != there:
            message = f"the archive's {context} comes from {there} and cannot be restored into {here}"
            raise precondition(reasons.ENGINE_MISMATCH, message, context=context, engine=there)


async def _open_targets(settings: HostSettings) -> list[Target]:
    files, schemas = databases(settings)
    targets: list[Target] = [SqliteTarget(context, path) for context, path in files.items()]
    try:
        for url, contexts in schemas.items():
            targets.append(await PostgresTarget.open(url, contexts))
    except BaseException:
        for target in targets:
            await target.close()
        raise
    return targets
