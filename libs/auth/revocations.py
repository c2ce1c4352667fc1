"""What has been taken away from users, clients and companies since their tokens were given.

Each of them has a generation, which is raised with every such change. A token names the three that it was given in; it is
refused once one of them is known to have been raised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from libs.auth.principal import Principal

LONGEST_MINUTES = 600
"""The longest life of a token that an API client may have."""
LONGEST = LONGEST_MINUTES * 60.0 + 60.0
"""Seconds after which no token is left that was given before: the longest life, and the difference of two clocks."""
USER = "USER"
CLIENT = "CLIENT"
Subject = tuple[str, str]
"""A kind and an id: USER, CLIENT, or the kind of a company."""


@dataclass(frozen=True, slots=True)
class Generations:
    """Those of a user, its client and its company when a token was given."""

    user: int = 0
    client: int = 0
    company: int = 0


@dataclass(frozen=True, slots=True)
class Revocation:
    """A generation that was raised, and when, in seconds since 1970."""

    subject: Subject
    generation: int
    time: float


@dataclass(frozen=True, slots=True)
class RevocationPage:
    """Those after a position. `position` is where the next page begins; `restart` says that the position asked for is not
    known, as after a restore, and that the page is the first of all."""

    revocations: Sequence[Revocation]
    position: int
    more: bool = False
    restart: bool = False


Fetch = Callable[[int], Awaitable[RevocationPage]]


class Revocations:
    """Those that a process knows, as long as a token can be older than they are."""

    def __init__(self, fetch: Fetch | None, now: Callable[[], float]) -> None:
        """Without `fetch` nothing is ever revoked."""
        self._fetch = fetch
        self._now = now
        self._position = 0
        self._raised: dict[Subject, tuple[int, float]] = {}
        self.loaded = fetch is None
        """Whether all that there was at a moment has been read."""

    def __len__(self) -> int:
        return len(self._raised)

    async def load(self) -> bool:
        """Reads what is new, and returns whether that is anything. Raises what fetching raised; what was known then holds on."""
        if self._fetch is None:
            return False
        position, raised, news, more = self._position, dict[Subject, tuple[int, float]](), False, True
        whole = False
        while more:
            page = await self._fetch(position)
            if page.restart:
                raised, whole = {}, True
            for each in page.revocations:
                raised[each.subject] = (each.generation, each.time)
                news = True
            position, more = page.position, page.more
        if whole:
            self._raised = raised
        else:
            self._raised.update(raised)
        self._position, self.loaded = position, True
        self._forget()
        return news or whole

    def _forget(self) -> None:
        oldest = self._now() - LONGEST
        old = [subject for subject, (_, time) in self._raised.items() if time < oldest]
        for subject in old:
            del self._raised[subject]

    def revoked(self, principal: Principal, generations: Generations) -> bool:
        """Whether anything was taken away since."""
        return (
            self._since((USER, principal.user_id), generations.user)
            or self._since((CLIENT, principal.client_id), generations.client)
            or self._since((principal.party_kind.value, principal.party_id), generations.company)
        )

    def any_since(self, given: Sequence[tuple[Subject, int]]) -> bool:
        """Whether one of these has been raised above its generation."""
        return any(self._since(subject, generation) for subject, generation in given)

    def _since(self, subject: Subject, generation: int) -> bool:
        known = self._raised.get(subject)
        return known is not None and known[0] > generation
