"""How many calls of one user run at the same time while others want something too.

Whatever it is that calls wait for when too many of them run, a processor, the loop, a connection or a lock of the database, or
another service, they take longer than one after the other. So that is what is looked at: every call's time against what calls
of the same user and method take while each user has only one. As long as they hardly differ there is room for one more, and
when they do, half as many run.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

EASE, STRAIN = 1.2, 1.5
"""Up to how many times as long calls may take for one more to run, and from how many times on there are too many."""
FAR = 4.0
"""So many times as long is all that one call counts for: it may have met a lock, or asked for more than the others."""
WEIGHT = 1 / 8
"""Of one call, in what calls are known to take."""
ENOUGH = 4
"""Calls by which a number of them is judged, besides those that began before."""
SHORTEST, LONGEST = 0.25, 16.0
"""Seconds until as many are tried again as were too many, and twice as long when they are so again, up to the longest."""
FRESH = 60.0
"""Seconds after which it is looked at anew what calls take one after the other."""
KNOWN = 1_000
"""Users' methods of which that is remembered."""


class Room:
    """Judged by all calls of a process."""

    def __init__(self, most: int) -> None:
        """Never more than so many."""
        self._most = most
        self.calls = 1
        """Calls that one user may have running."""
        self._usual: OrderedDict[Hashable, float] = OrderedDict()
        """Seconds that each sort of calls takes one after the other; the one seen last at the end."""
        self._felt = 1.0
        self._left = ENOUGH
        """Calls to be seen before it is judged."""
        self._strained, self._pause = 0, SHORTEST
        """The last number that was too many."""
        self._interrupted = 0
        """How many there were before it was looked at anew what they take."""
        self._not_before = self._looked = float("-inf")

    def __len__(self) -> int:
        """Sorts of calls of which it is remembered what they take."""
        return len(self._usual)

    def saw(self, sort: Hashable, seconds: float, single: bool, wanted: bool, now: float) -> None:
        """A call has ended that took so long. `single`: its user had no other one. `wanted`: others wait that may not run yet."""
        usual = self._usual.pop(sort, seconds)
        times = min(seconds / usual, FAR) if usual else 1.0
        if single or seconds < usual:
            usual += (min(seconds, usual * FAR) - usual) * WEIGHT
        self._usual[sort] = usual
        if len(self._usual) > KNOWN:
            self._usual.popitem(last=False)
        self._left -= 1
        if self._left < ENOUGH:
            self._felt += (times - self._felt) / (ENOUGH - self._left)
        if self._left <= 0:
            self._judge(wanted, now)

    def _judge(self, wanted: bool, now: float) -> None:
        if self.calls == 1:
            self._looked = now
        if self._felt > STRAIN and self.calls > 1:
            self._pause = SHORTEST if self.calls > self._strained else min(self._pause * 2, LONGEST)
            self._strained, self._not_before = self.calls, now + self._pause
            self._change(self.calls // 2)
        elif self.calls > 1 and now - self._looked >= FRESH:
            self._interrupted = self.calls
            self._change(1)
        elif self._interrupted:
            self._interrupted, calls = 0, self._interrupted
            self._change(calls)
        elif self._felt < EASE and wanted and self._may_grow(now):
            self._change(self.calls + 1)
        else:
            self._change(self.calls)

    def _may_grow(self, now: float) -> bool:
        return self.calls < self._most and (self.calls + 1 < self._strained or now >= self._not_before)

    def _change(self, calls: int) -> None:
        """What began before says nothing of the new number."""
        self._left = ENOUGH + (self.calls if calls != self.calls else 0)
        self.calls, self._felt = calls, 1.0
