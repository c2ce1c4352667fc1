"""Users take turns: who sends a thousand calls at once is served one after the other as soon as anybody else wants something.

A call waits for its turn before anything is done for it. A user who is alone runs so many at the same time as the process has
use for. While there are several, each of them has as many as hardly keep each other waiting (`room.py`). Where that is one, the
next one of a user who has more waits until those of the others that ran when his last one had ended are through as well: so
nobody's call meets more than one call of any other user.

gRPC hands calls over one by one, in the order in which they came, between two steps of the loop. As long as statements run in the
loop itself there is hardly a step between two calls of a flood, and another user's call stands behind all of them where nobody
sees whose it is. So the loop is left to gRPC for a moment before one more call of a user begins, until none is handed over.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass

from libs.rpc.fairness.room import Room

STRIDE = 0.004
"""Seconds of work after which gRPC is listened to again."""
QUIET, ROUNDS = 0.0002, 8
"""It has nothing more to hand over when nothing has come for so many seconds, and so many steps of the loop."""
LONGEST = 0.005
"""Seconds at most that the loop is left to it."""
IDLE = 0.005
"""Seconds after a call in which another one may have been waiting behind it."""
SHARED = 0.5
"""Seconds after the calls of one user in which another one is not alone."""
PATIENCE = 0.25
"""Every user who waits gets a turn within twice as many seconds, whatever the others do: a call may wait for another one of the
same user, as one that asks a shop's own server does that comes back with a question."""


@dataclass(slots=True)
class Turn:
    """What a call has while it runs."""

    user: Hashable
    number: int
    """Its place among all that have begun."""
    began: float
    """By time.perf_counter."""
    single: bool
    """Whether the user had no other one when it began."""


class Turns:
    """Of the calls of users. They are as many as have a place in the process, and a user is forgotten with the last of his."""

    def __init__(self, alone: int) -> None:
        """So many calls of a user who is alone run at the same time."""
        self._alone = alone
        self._number = 0
        self._running: dict[int, Turn] = {}
        """By number, and so in the order in which they began."""
        self._counts: dict[Hashable, int] = {}
        """How many of them each user has."""
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[Turn]]] = OrderedDict()
        """By user: who had a turn goes to the end."""
        self._after: dict[Hashable, int | None] = {}
        """Of users who wait and had a turn: up to which number calls of others come first; None until that is known."""
        self._overdue: set[Hashable] = set()
        self._clock: asyncio.TimerHandle | None = None
        self._latest: Hashable = None
        self._changed = self._ended = self._listened = self._began = self._noticed = float("-inf")
        self._rounds = 0
        self._listening = False
        self.room = Room(alone)
        """How many calls each of several users may have running."""

    def __len__(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return sum(map(len, self._waiting.values()))

    @property
    def users(self) -> set[Hashable]:
        """All of whom something is remembered besides who was here last."""
        return {*self._counts, *self._waiting, *self._after, *self._overdue}

    def notice(self) -> None:
        """A call has been handed over, though it is not known yet whose it is."""
        if self._listening:
            self._noticed, self._rounds = time.perf_counter(), 0

    async def take(self, user: Hashable) -> Turn:
        """Waits for the turn of a call, which is to be given back."""
        now = time.perf_counter()
        may = user not in self._waiting and self._may(user, now)
        first = user not in self._counts and not (user == self._latest and now - self._ended < IDLE)
        if may and (first or not (self._listening or self._behind(now))):
            return self._begin(user, now)
        turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, deque()).append(turn)
        if may:
            self._listen()
        if self._clock is None:
            self._clock = asyncio.get_running_loop().call_later(PATIENCE, self._tick)
        try:
            return await turn
        except asyncio.CancelledError:
            self._leave(user, turn)
            raise

    def give_back(self, turn: Turn, method: str | None = None) -> None:
        """The call has ended, or only waits for something from now on. A whole one says its method."""
        del self._running[turn.number]
        left = self._counts[turn.user] - 1
        if left:
            self._counts[turn.user] = left
        else:
            del self._counts[turn.user]
        self._ended = time.perf_counter()
        if method is not None:
            single, wanted = turn.single and not left, turn.user in self._waiting
            self.room.saw((turn.user, method), self._ended - turn.began, single, wanted, self._ended)
        if turn.user in self._waiting:
            self._after[turn.user] = None
        if self._waiting:
            self._listen()

    def _leave(self, user: Hashable, turn: asyncio.Future[Turn]) -> None:
        """A call is given up before its turn, or just when it comes."""
        if turn.done() and not turn.cancelled():
            self.give_back(turn.result())
        elif user in self._waiting and turn in self._waiting[user]:
            self._waiting[user].remove(turn)
            if not self._waiting[user]:
                self._forget(user)

    def _forget(self, user: Hashable) -> None:
        del self._waiting[user]
        self._after.pop(user, None)
        self._overdue.discard(user)

    def _may(self, user: Hashable, now: float) -> bool:
        """Whether a call of the user may begin."""
        running = self._counts.get(user, 0)
        if not self._shared(user, now):
            return running < self._alone
        if running >= self.room.calls:
            return False
        if user not in self._after or self.room.calls > 1:
            return True
        after = self._after[user]
        return after is not None and next(iter(self._running), after + 1) > after

    def _shared(self, user: Hashable, now: float) -> bool:
        """Whether there are others, or were just now."""
        if self._latest != user or now - self._changed < SHARED:
            return self._latest is not None
        return len(self._counts) > (user in self._counts) or len(self._waiting) > (user in self._waiting)

    def _begin(self, user: Hashable, now: float) -> Turn:
        self._number += 1
        if user != self._latest:
            self._latest, self._changed = user, now if self._latest is not None else self._changed
        turn = self._running[self._number] = Turn(user, self._number, now, user not in self._counts)
        self._counts[user] = self._counts.get(user, 0) + 1
        return turn

    def _behind(self, now: float) -> bool:
        """Whether calls may stand in gRPC's queue that nobody has seen."""
        return now - self._listened >= STRIDE and (bool(self._running) or now - self._ended < IDLE)

    def _listen(self) -> None:
        """Leaves the loop to gRPC for a moment, and then chooses who is next."""
        if not self._listening:
            self._listening, self._rounds = True, 0
            self._began = self._noticed = time.perf_counter()
            asyncio.get_running_loop().call_soon(self._round)

    def _round(self) -> None:
        now = time.perf_counter()
        self._rounds += 1
        quiet = self._rounds >= ROUNDS and now - self._noticed >= QUIET
        if now - self._listened < STRIDE:
            self._listening = False
            self.choose(now)
        elif quiet or now - self._began >= LONGEST:
            self._listening, self._listened = False, now
            self.choose(now)
        else:
            asyncio.get_running_loop().call_soon(self._round)

    def choose(self, now: float) -> None:
        """One more call of every user who may have one; those first who had none."""
        begun = [self._next(user, now) for user in list(self._waiting) if user not in self._after and self._may(user, now)]
        for user, after in self._after.items():
            if after is None:
                self._after[user] = self._number
        begun += [self._next(user, now) for user in list(self._waiting) if user in self._after and self._may(user, now)]
        if any(self._may(user, now) for user in begun if user in self._waiting):
            self._listen()

    def _next(self, user: Hashable, now: float) -> Hashable:
        """The call that has waited longest of a user begins; one that is given up just now does not count."""
        calls = self._waiting[user]
        while calls:
            waiting = calls.popleft()
            if not waiting.done():
                waiting.set_result(self._begin(user, now))
                break
        self._overdue.discard(user)
        self._after.pop(user, None)
        if calls:
            self._waiting.move_to_end(user)
        else:
            self._forget(user)
        return user

    def _tick(self) -> None:
        """Whoever has waited since the last time, and had no turn, has one now."""
        self._clock = None
        now = time.perf_counter()
        for user in self._overdue & self._waiting.keys():
            self._next(user, now)
        self._overdue = set(self._waiting)
        if self._waiting:
            self._clock = asyncio.get_running_loop().call_later(PATIENCE, self._tick)
