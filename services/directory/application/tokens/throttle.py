"""Failed sign-ins are counted in the directory's database, so all of its replicas count together.

Three counts of the window decide who is refused before any secret is looked at:

- a name from a source: so nobody guesses for long at one name from one place;
- a source, whatever the names: so nobody tries many names from one place, and a flood costs no hashes;
- a name, wherever it is tried from: so many sources do not guess at one name together.

The last two do not hold for a source from which this very name has signed in lately: whoever guesses elsewhere, or sits
beside it behind the same address, does not lock it out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from libs.clock import Clock
from libs.errors import Kind, WaybillError
from libs.identify import folded
from waybill.directory.v1 import reasons

NAME_LIMIT = 300
"""Longer names exist in no directory; they are cut, so that they cannot fill the memory either."""
AFRESH = timedelta(days=1)
"""How often it is noted again that a name signs in from a source."""


class Tally(NamedTuple):
    """What is counted under a key, until when."""

    attempts: int
    end: datetime


class Refusing(NamedTuple):
    """What the log of administrative acts says once so much counts under a key."""

    limit: int
    who: str
    action: str = "RefuseSignIns"


class SignIns(Protocol):
    """What is remembered of attempts to sign in."""

    async def tallies(self, keys: Sequence[str], now: datetime) -> Mapping[str, Tally]:
        """Those of these keys that count now."""
        ...

    async def count(self, keys: Mapping[str, Refusing], now: datetime, end: datetime) -> Mapping[str, int]:
        """One more under each key, where nothing counts until then, and how many that makes. Which of them gets to its limit
        by it, from which on attempts are refused, is written into the log of acts."""
        ...

    async def remember(self, key: str, now: datetime, end: datetime) -> None:
        """The key counts until then."""
        ...


class Origin(NamedTuple):
    """Where an attempt comes from."""

    source: str = ""
    shared: bool = True
    """Whether many come from there of whom none is known by itself: they have no count together."""
    page: str = ""
    """Origin of the web page that asks; empty for a program that is none."""

    @property
    def counted(self) -> str:
        """The source, where it has a count; else nothing."""
        return "" if self.shared else self.source


@dataclass(frozen=True, slots=True)
class Limits:
    """Failures within the window after which more are refused."""

    pair: int
    source: int
    name: int
    window: timedelta
    known: timedelta
    """How long a source from which a name has signed in stays known for it."""


class Attempt:
    """One attempt to sign in, under the keys that it counts for."""

    __slots__ = ("known", "name", "origin", "pair", "source")

    def __init__(self, name: str, origin: Origin) -> None:
        """`name` is of a user or of a client that acts for itself, in one form whatever the case that it was typed in."""
        self.origin = origin
        self.pair = tally_key("pair", origin.source, name)
        self.source = "" if origin.shared else tally_key("source", origin.source)
        self.name = tally_key("name", name)
        self.known = tally_key("known", origin.source, name)

    @property
    def failures(self) -> list[str]:
        """What a failure counts for."""
        return [key for key in (self.pair, self.source, self.name) if key]


def attempt_of(username: str, origin: Origin) -> Attempt:
    """An attempt at the password of a user. Case makes no other name."""
    return Attempt(f"user {folded(username[:NAME_LIMIT])[:NAME_LIMIT]}", origin)


class Throttle:
    """Refuses after so many failures within the window."""

    def __init__(self, clock: Clock, sign_ins: SignIns, limits: Limits) -> None:
        self._clock = clock
        self._sign_ins = sign_ins
        self._limits = limits

    async def check(self, attempt: Attempt) -> bool:
        """Raises TOO_MANY_ATTEMPTS, and says how long to wait. Returns whether the source need not be noted as known.

        To be asked before a secret is checked, and again before a success is answered: of many attempts at the same time no
        more may be answered than of many in a row.
        """
        now = self._clock.now()
        found = await self._sign_ins.tallies([*attempt.failures, attempt.known], now)
        known = found.get(attempt.known)
        self._require(attempt, {key: tally.attempts for key, tally in found.items()}, found, known is not None, now)
        return known is not None and known.end > now + self._limits.known - AFRESH

    async def failed(self, attempt: Attempt, whose: str) -> None:
        """Counts a failure. Raises TOO_MANY_ATTEMPTS for one that others have made one too many meanwhile.

        `whose` says in the log of acts whom it was tried at. It is never what was typed in: that may be a password.
        """
        now, limits, source = self._clock.now(), self._limits, attempt.origin.source or "an unknown address"
        refusing = {
            attempt.pair: Refusing(limits.pair, f"{whose} from {source}"),
            attempt.source: Refusing(limits.source, f"anybody from {source}"),
            attempt.name: Refusing(limits.name, f"{whose} from anywhere"),
        }
        counted = {key: refusing[key] for key in attempt.failures}
        counts = await self._sign_ins.count(counted, now, now + limits.window)
        if counts[attempt.pair] > limits.pair:
            raise _refused("user", limits.window)

    async def succeeded(self, attempt: Attempt) -> None:
        """Notes that the source is known for the name. A database that takes no changes now keeps nobody from signing in."""
        now = self._clock.now()
        with suppress(WaybillError):
            await self._sign_ins.remember(attempt.known, now, now + self._limits.known)

    def _require(
        self, attempt: Attempt, counts: Mapping[str, int], found: Mapping[str, Tally], known: bool, now: datetime
    ) -> None:
        limits = [(attempt.pair, self._limits.pair, "user")]
        if not known:
            limits += [(attempt.source, self._limits.source, "source"), (attempt.name, self._limits.name, "name")]
        for key, limit, what in limits:
            if counts.get(key, 0) >= limit:
                raise _refused(what, found[key].end - now)


def _refused(what: str, left: timedelta) -> WaybillError:
    return WaybillError(
        Kind.EXHAUSTED,
        reasons.TOO_MANY_ATTEMPTS,
        "too many failed attempts: wait a while",
        metadata={"limit": what},
        retry_after=left,
    )


def tally_key(kind: str, *parts: str) -> str:
    """Of one length whatever was typed in, and nobody reads names in it."""
    text = "\0".join((kind, *parts))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
