"""Passwords and secrets as argon2id hashes, computed in a thread: a check is meant to be dear."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Argon2:
    """Makes, hashes and verifies. Verifying against nothing takes as long as against something."""

    def __init__(self, time_cost: int, memory_kib: int) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))

    def new(self) -> str:
        """A secret that cannot be guessed."""
        return secrets.token_urlsafe(32)

    async def hash(self, secret: str) -> str:
        """The hash, with its own salt."""
        return await asyncio.to_thread(self._hasher.hash, secret)

    async def verify(self, hashed: str | None, secret: str) -> bool:
        """Whether the secret is the one that was hashed."""
        return await asyncio.to_thread(self._check, hashed, secret)

    def _check(self, hashed: str | None, secret: str) -> bool:
        try:
            return self._hasher.verify(hashed or self._decoy, secret) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False
