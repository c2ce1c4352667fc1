"""What a flood leaves in memory.

Thousands of messages at once make the C library's heap large, and what they leave free between what lasts stays the
process's: hundreds of megabytes that nothing needs. Where the C library can give such pages back it is asked to, once the
process has become quiet. Elsewhere nothing is done.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from libs.obs import get_logger
from libs.service.loops import Loop, forever

PAUSE = 5.0
"""Seconds between two looks."""
GROWN = 24 * 2**20
"""Bytes by which a process has grown before it is worth the milliseconds that it costs."""
QUIET = 0.2
"""Processors at most that a process is busy on meanwhile: one that works will need again what it has free."""
_STATM = Path("/proc/self/statm")


def resident() -> int:
    """Bytes of this process in memory."""
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def trim() -> Callable[[], object] | None:
    """What gives free pages back to the system; None where there is no such thing."""
    try:
        asked = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
    return (lambda: asked(0)) if _STATM.exists() else None


class Heap:
    """Of this process."""

    def __init__(
        self, give_back: Callable[[], object], size: Callable[[], int] = resident, busy: Callable[[], float] = time.process_time
    ) -> None:
        """`busy` are the processor seconds so far."""
        self._give_back = give_back
        self._size = size
        self._busy = busy
        self._needed = size()
        """Bytes that were left when it was last given back, or fewer since."""
        self._last = busy()

    async def look(self) -> None:
        """Gives back what is free if the process has grown and is quiet. Calls are served meanwhile."""
        busy, size = self._busy(), self._size()
        quiet, self._last = busy - self._last < QUIET * PAUSE, busy
        self._needed = min(self._needed, size)
        if quiet and size - self._needed >= GROWN:
            await asyncio.to_thread(self._give_back)
            self._needed = self._size()


@asynccontextmanager
async def given_back() -> AsyncIterator[None]:
    """Looks again and again while the block runs; does nothing where nothing can be given back."""
    give_back = trim()
    if give_back is None:
        yield
        return
    looks = asyncio.create_task(forever("host", Loop("memory", Heap(give_back).look, PAUSE), get_logger("memory")))
    try:
        yield
    finally:
        looks.cancel()
        await asyncio.wait([looks])
