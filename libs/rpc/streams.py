"""Streams that end with their server, so that it need not wait for their callers to leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from libs.errors import WaybillError

T = TypeVar("T")


class ServerEnds(Exception):
    """The server ends while a stream waits for its next message."""


def _holds() -> None:
    """Nothing can end it but the server."""


class Streams:
    """The streams that a server has open."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Task[Any], Callable[[], None]] = {}
        self._refused: dict[asyncio.Task[Any], WaybillError] = {}
        self._waiting: set[asyncio.Task[Any]] = set()
        """Those inside code of ours; the others are in the library's, which sends a message."""
        self._ending = asyncio.Event()

    def __len__(self) -> int:
        return len(self._open)

    def end(self) -> None:
        """Ends all of them, and those that come.

        One that just sends a message ends after it: canceled there, it would send its caller nothing, not even its end.
        """
        self._ending.set()
        for task in self._waiting:
            task.cancel()

    def review(self) -> None:
        """Asks about all of them whether they may go on, and ends those that may not: with what they are refused for."""
        for task, holds in list(self._open.items()):
            try:
                holds()
            except WaybillError as refusal:
                self._refused[task] = refusal
                if task in self._waiting:
                    task.cancel()

    def _ends(self, task: asyncio.Task[Any]) -> bool:
        return self._ending.is_set() or task in self._refused

    async def carry(self, messages: AsyncGenerator[T, None], holds: Callable[[], None] = _holds) -> AsyncGenerator[T, None]:
        """The messages of the stream that this task serves. Raises `ServerEnds` in the place of those that would follow, or
        what `holds` raises when it is asked."""
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = holds
        try:
            async with aclosing(messages):
                while not self._ends(task):
                    self._waiting.add(task)
                    try:
                        message = await anext(messages)
                    except StopAsyncIteration:
                        return
                    except asyncio.CancelledError:
                        if not self._ends(task):
                            raise
                        task.uncancel()
                        break
                    finally:
                        self._waiting.discard(task)
                    yield message
            if task in self._refused:
                raise self._refused[task]
            raise ServerEnds
        finally:
            self._open.pop(task, None)
            self._refused.pop(task, None)

    async def attend(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs what sends its messages itself, until it has done so or the server ends."""
        running, ending = asyncio.ensure_future(work), asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            ending.cancel()
            running.cancel()
