"""Refresh tokens: who has signed in once gets access tokens without a password, until its time is over or something ends."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from libs.clock import Clock
from services.directory.application.ports import DirectoryWork, Secrets, Units
from services.directory.application.tokens.access_tokens import RefreshToken
from services.directory.domain.tokens.grants import Account, Client, RefreshGrant, generations_of


def digest_of(token: str) -> str:
    """What is stored of a token, and what it is found by. It is random and long: no salt and no effort make it safer."""
    return hashlib.sha256(token.encode()).hexdigest()


class RefreshTokens:
    """Gives them, and knows what they stand for."""

    def __init__(self, units: Units, secrets: Secrets, clock: Clock) -> None:
        self._units = units
        self._secrets = secrets
        self._clock = clock

    async def give(self, client: Client, user: Account, wanted: Sequence[str]) -> RefreshToken | None:
        """One for a user who has signed in through a client that grants them; None when either has lost something meanwhile."""
        now, token = self._clock.now(), self._secrets.new()
        asked = sorted(set(wanted))
        expire_time = now + timedelta(minutes=client.refresh_minutes)
        grant = RefreshGrant(user.id, client.id, asked, generations_of(client, user), now, expire_time)

        async def do(work: DirectoryWork) -> bool:
            return await work.refresh_tokens.add(digest_of(token), grant)

        return RefreshToken(token, expire_time) if await self._units.retrying(do) else None

    async def find(self, digest: str) -> RefreshGrant | None:
        """What a token stands for, whether it holds or not."""
        async with self._units.reading() as work:
            return await work.refresh_tokens.find(digest)

    def now(self) -> datetime:
        """The time by which tokens end."""
        return self._clock.now()
