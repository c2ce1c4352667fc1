"""How much a process does for outside callers at the same time. Other services are never refused: their call would fail
half-way, and hold what it has got until somebody gives up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from libs.auth import Principal
from libs.errors import Kind, WaybillError
from libs.obs import metrics
from libs.rpc.fairness.limits import OutsideLimits
from libs.rpc.fairness.sources import Source
from libs.rpc.fairness.turns import Turn, Turns
from waybill.type.v1 import reasons

AGAIN = timedelta(milliseconds=250)
WHOSE = {
    "user": " of one user",
    "company": " of one company",
    "source": " from one address",
    "anonymous": " without a token",
    "process": "",
}


class Counts:
    """How many run, for each key of one sort. A key is forgotten with its last, so they are never more than what runs."""

    __slots__ = ("limit", "name", "running")

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit
        self.running: dict[Hashable, int] = {}

    def fits(self, key: Hashable) -> bool:
        """Whether one more of the key may run."""
        return self.running.get(key, 0) < self.limit

    def add(self, key: Hashable) -> None:
        """One more runs."""
        self.running[key] = self.running.get(key, 0) + 1

    def drop(self, key: Hashable) -> None:
        """One less."""
        left = self.running[key] - 1
        if left:
            self.running[key] = left
        else:
            del self.running[key]


Keys = tuple[tuple[Counts, Hashable], ...]


class Place:
    """The place of one call, for as long as it runs."""

    __slots__ = ("_admission", "_caller", "_source", "_turn", "_whole", "held", "keys")

    def __init__(self, admission: Admission, caller: Principal | None, source: Source, keys: Keys) -> None:
        self._admission = admission
        self._caller = caller
        self._source = source
        self._turn: Turn | None = None
        self._whole = True
        self.keys = keys
        self.held = False

    def take(self) -> None:
        """Counts the call. The place must fit."""
        for counts, key in self.keys:
            counts.add(key)
        self.held = True

    async def turn(self) -> None:
        """Waits until it is the user's turn. Calls without a user have none: they are few."""
        turns = self._admission.turns
        if turns is not None and self._caller is not None:
            self._turn = await turns.take(self._caller.identity)

    def give_back(self, method: str | None = None) -> None:
        """The call counts no more; does nothing when it does not. One that has succeeded as a whole says its method."""
        if self._turn is not None and self._admission.turns is not None:
            turn, self._turn = self._turn, None
            self._admission.turns.give_back(turn, method if self._whole else None)
        if self.held:
            self.held = False
            for counts, key in self.keys:
                counts.drop(key)
            self._admission.freed()

    @property
    def full(self) -> Counts | None:
        """What it would be too many of; None when it fits."""
        for counts, key in self.keys:
            if not counts.fits(key):
                return counts
        return None

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """While the block waits for something to happen the place is others', and then it is had again in its turn.

        Raises TOO_MANY_CALLS where too many wait already.
        """
        admission = self._admission
        if admission.waits is None or not self.held:
            yield
            return
        wait = admission.waits.place(self._caller, self._source)
        wait.take()
        self._whole = False
        self.give_back()
        try:
            yield
            await admission.again(self)
            await self.turn()
        finally:
            wait.give_back()


class Admission:
    """Of one sort of calls: so many at most, and so many of one user, company and source; the others may come back."""

    def __init__(
        self,
        what: str,
        limit: int,
        limits: OutsideLimits,
        refused: Any,
        waits: Admission | None = None,
        turns: Turns | None = None,
    ) -> None:
        """`refused` counts those that were. `waits` admits those that wait meanwhile, and hold no place here. Users take
        `turns` with those that have a place."""

        def share(percent: int, of: int = limit) -> int:
            return max(1, of * percent // 100)

        self._what = what
        self._refused = refused
        self.waits = waits
        self.turns = turns
        self._all = Counts("process", limit)
        self._shoppers = Counts("process", share(limits.shoppers_share))
        self._users = Counts("user", share(limits.user_share))
        self._companies = Counts("company", share(limits.company_share))
        self._sources = Counts("source", share(limits.source_share))
        self._strangers = Counts("anonymous", share(limits.anonymous_share))
        self._strange_sources = Counts("source", share(limits.source_share, self._strangers.limit))
        self._returning: deque[tuple[asyncio.Future[None], Place]] = deque()

    @property
    def running(self) -> int:
        """Those that run now."""
        return self._all.running.get("", 0)

    def place(self, caller: Principal | None, source: Source) -> Place:
        """The place of a call, which is yet to be taken. Raises TOO_MANY_CALLS unless it fits."""
        place = Place(self, caller, source, self._keys(caller, source))
        full = place.full
        if full is None:
            return place
        self._refused.inc()
        metrics.OUTSIDE_REFUSED_BY.labels(self._what, full.name).inc()
        raise WaybillError(
            Kind.EXHAUSTED,
            reasons.TOO_MANY_CALLS,
            f"too many {self._what}{WHOSE[full.name]} at the same time",
            metadata={"limit": full.name},
            retry_after=AGAIN,
        )

    def _keys(self, caller: Principal | None, source: Source) -> Keys:
        keys: list[tuple[Counts, Hashable]] = []
        if caller is None:
            if not source.shared:
                keys.append((self._strange_sources, source.name))
            keys.append((self._strangers, ""))
        else:
            keys.append((self._users, caller.identity))
            keys.append((self._companies, (caller.party_kind, caller.party_id)))
        if not source.shared:
            keys.append((self._sources, source.name))
        if caller is None or not caller.is_seller:
            keys.append((self._shoppers, ""))
        keys.append((self._all, ""))
        return tuple(keys)

    async def again(self, place: Place) -> None:
        """Takes a place that was given back, after those that asked before it."""
        if place.full is None:
            place.take()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._returning.append((turn, place))
        try:
            await turn
        except asyncio.CancelledError:
            if (turn, place) in self._returning:
                self._returning.remove((turn, place))
            raise

    def freed(self) -> None:
        """Hands what has become free to those that return, the longest waiting first. Whoever comes anew never gets it."""
        if not self._returning:
            return
        rest: deque[tuple[asyncio.Future[None], Place]] = deque()
        for turn, place in self._returning:
            if turn.done():
                continue
            if place.full is None:
                place.take()
                turn.set_result(None)
            else:
                rest.append((turn, place))
        self._returning = rest
