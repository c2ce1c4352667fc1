"""Calls that wait until what they ask for stands at a version: one look serves all that wait in a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from libs.errors import WaybillError
from libs.obs import get_logger
from libs.service.waiting import waiting

State = TypeVar("State")
State_co = TypeVar("State_co", covariant=True)


class Standings(Protocol[State_co]):
    """Says how things stand."""

    async def read(self, ids: Collection[str]) -> Mapping[str, State_co]:
        """How those of these ids stand that there are: one statement for any number."""
        ...

    def ring(self, bell: Callable[[], None]) -> None:
        """Has `bell` called after every commit of this process that may have changed how one stands."""


@dataclass(slots=True, eq=False)
class Awaited(Generic[State]):
    """One thing that one call waits for."""

    id: str
    enough: Callable[[State], bool]
    _looks: SharedLooks[State]
    _seen: State | None = None
    """How it stood when the call was woken last: who may not see what has come is not woken for it again."""
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    async def within(self, seconds: float) -> bool:
        """Waits until it stands at what is enough and not as when it was woken last, so long at most; whether it came to it.

        True too where the looks fail: whoever waits finds out why by a look of its own.
        """
        self._looks.begin()
        async with waiting():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._rung.wait()
        rung = self._rung.is_set()
        self._rung.clear()
        return rung

    def give(self, state: State | None) -> None:
        """How it stands now."""
        if state is not None and state != self._seen and self.enough(state):
            self._seen = state
            self._rung.set()

    def wake(self) -> None:
        """The looks have failed."""
        self._rung.set()


class SharedLooks(Generic[State]):
    """How things stand, as one task of this process reads it while somebody waits for any of them.

    It looks as soon as this process has committed something, and after every pause for what other processes have. The pause
    grows while nothing happens, and is short again for everybody who comes.
    """

    def __init__(self, standings: Standings[State], pause: float, longest: float) -> None:
        """Times are in seconds: `pause` is the shortest between two looks, `longest` the longest."""
        self._standings = standings
        self._shortest = pause
        self._longest = longest
        self._pause = pause
        self._rung = asyncio.Event()
        self._awaited: set[Awaited[State]] = set()
        self._looking: asyncio.Task[None] | None = None
        standings.ring(self._rung.set)

    @contextmanager
    def awaiting(self, id: str, enough: Callable[[State], bool]) -> Iterator[Awaited[State]]:
        """What is looked for while the block runs; only what comes after its beginning is sure to be found."""
        one = Awaited(id, enough, self)
        self._awaited.add(one)
        try:
            yield one
        finally:
            self._awaited.discard(one)
            if not self._awaited and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def begin(self) -> None:
        """Somebody waits from now on: there is a look soon."""
        self._pause = self._shortest
        if self._looking is None:
            # What was committed since the call looked itself has rung already, and is looked for at once.
            # A context of its own: what is read here is no part of the call that came first.
            self._looking = asyncio.create_task(self._look(), context=Context())
        else:
            self._rung.set()

    async def _look(self) -> None:
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause):
                        await self._rung.wait()
                self._rung.clear()
                self._pause = min(2 * self._pause, self._longest)
                asked = list(self._awaited)
                found = await self._standings.read({one.id for one in asked})
                for one in asked:
                    one.give(found.get(one.id))
                # Many commits, or many who come, at the same time are one look.
                await asyncio.sleep(self._shortest)
        except Exception as error:
            if not isinstance(error, WaybillError):
                get_logger("awaited").error("the look at what is waited for failed", exc_info=error)
            if self._looking is asyncio.current_task():
                self._looking = None
                for one in self._awaited:
                    one.wake()
