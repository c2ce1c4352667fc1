"""The event loop that a process serves on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


def factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Makes uvloop's loop, which spends a fraction of the CPU of Python's own on every message of a socket.

    None, for Python's own, where it is not installed: all that is served is the same on both.
    """
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def run(serving: Coroutine[None, None, None]) -> None:
    """Runs until what serves has ended."""
    with asyncio.Runner(loop_factory=factory()) as runner:
        runner.run(serving)
