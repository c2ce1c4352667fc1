"""One server for each SQLite file: its writers are known to each other, and to no other process."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from libs.db.url import parsed_url
from libs.private import FILE, close, private_folder
from libs.service.startup import StartupError
from services.host.process.settings import HostSettings

PAUSE = 0.1
MIGRATING = "which migrates"
"""What the file of the lock says of a process that will soon be done."""
LONGEST = 120.0
"""Seconds that one such process is waited for."""


class InUse(StartupError):
    """Another process has the files; the text names it."""

    reason = "DATABASE_IN_USE"


@asynccontextmanager
async def alone(host: HostSettings, contexts: Sequence[str], patience: float = 0.0, does: str = "") -> AsyncIterator[None]:
    """Keeps other servers from the SQLite files of the contexts until the block ends, or the process does, however it ends.

    Waits `patience` seconds for another process, and longer for one that migrates; then raises `InUse`. `does` is what this one
    says of itself to others, `MIGRATING` or nothing. PostgreSQL is made for many and is not asked.
    """
    async with AsyncExitStack() as stack:
        for context in contexts:
            url = parsed_url(host.database(context)[0])
            if url.get_backend_name() == "sqlite" and url.database:
                await stack.enter_async_context(_held(Path(url.database), patience, does))
        yield


@asynccontextmanager
async def _held(path: Path, patience: float, does: str) -> AsyncIterator[None]:
    if not path.parent.exists():
        private_folder(path.parent)
    file = path.with_name(f"{path.name}.lock")
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE)
    try:
        close(file)
        await _take(lock, path, patience)
        os.ftruncate(lock, 0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(lock, f"process {os.getpid()} since {since} {does}".strip().encode() + b"\n", 0)
        yield
    finally:
        # Closing gives it up. The file stays: whoever removed it could leave two processes with a lock each.
        os.close(lock)


async def _take(lock: int, path: Path, patience: float) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = os.pread(lock, 200, 0).decode(errors="replace").strip() or "another process"
            soon_done = patience > 0 and holder.endswith(MIGRATING)
            if loop.time() - began >= (LONGEST if soon_done else patience):
                raise InUse(f"{path} is in use by {holder}: SQLite files have one server at a time") from None
        await asyncio.sleep(PAUSE)
