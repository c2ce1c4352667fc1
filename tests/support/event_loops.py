"""Event loops of tests: of the kind that serves, and one for many tests, so that connections of one test may serve the next."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import uvloop

THREADS = 32
"""As many as a loop's own executor has at most."""

_free: list[KeptLoop] = []


class KeptLoop(uvloop.Loop):
    """A loop that waits for its next user when it is closed. Whoever runs it has canceled its tasks by then."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(THREADS)
        self.set_default_executor(self._threads)

    def close(self) -> None:
        """The next user finds it as if it were new, but for what is connected."""
        if self.is_running():
            raise RuntimeError("a loop that runs cannot be closed")
        if self not in _free:
            _free.append(self)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """What runs in threads has ended; the next user has threads of its own."""
        self._threads.shutdown(wait=True)
        self._threads = ThreadPoolExecutor(THREADS)
        self.set_default_executor(self._threads)

    async def shutdown_asyncgens(self) -> None:
        """Nothing: a loop that has shut its generators down takes no new ones. Those that a test left are closed with their last
        reference."""


class KeptLoops(asyncio.DefaultEventLoopPolicy):
    """Gives a loop that is free, else a new one."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A loop that nobody else uses until it is closed."""
        return _free.pop() if _free else KeptLoop()


def begin() -> None:
    """From now on every event loop of this process is a kept one, but for those that are made by their class."""
    asyncio.set_event_loop_policy(KeptLoops())
