"""Passwords and secrets as argon2id hashes. A check is meant to be dear, so there are threads for it alone and only so many
may wait for them: whoever floods it takes neither the cores nor the memory that everything else needs."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from libs.errors import Kind, WaybillError
from waybill.directory.v1 import reasons

T = TypeVar("T")
SHARE = 4
"""One source has no more than one of so many places among the checks that run or wait."""
AGAIN = timedelta(seconds=1)


def threads_for(cores: int) -> int:
    """One core is left for everything else."""
    return max(1, cores - 1)


class Argon2:
    """Makes, hashes and verifies. Verifying against nothing takes as long as against something."""

    def __init__(self, time_cost: int, memory_kib: int, threads: int = 0, queue: int = 64) -> None:
        """`threads` compute at the same time, by default as many as there are cores but one; `queue` checks may wait for them."""
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))
        threads = threads or threads_for(os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._most = threads + queue
        self._checks: dict[str, int] = {}
        """Those that run or wait, by source."""

    def new(self) -> str:
        """A secret that cannot be guessed."""
        return secrets.token_urlsafe(32)

    async def hash(self, secret: str, source: str | None = None) -> str:
        """The hash, with its own salt. With a source it waits among the checks, and raises TOO_MANY_ATTEMPTS as they do."""
        if source is None:
            return await self._compute(lambda: self._hasher.hash(secret))
        with self._place(source):
            return await self._compute(lambda: self._hasher.hash(secret))

    async def verify(self, hashed: str | None, secret: str, source: str = "") -> bool:
        """Whether the secret is the one that was hashed. Raises TOO_MANY_ATTEMPTS when too many checks wait, all together or
        those of one source; an empty source is many people's."""
        with self._place(source):
            return await self._compute(lambda: self._check(hashed, secret))

    @contextmanager
    def _place(self, source: str) -> Iterator[None]:
        mine = self._checks.get(source, 0)
        if sum(self._checks.values()) >= self._most:
            raise _busy("process")
        if source and mine >= max(1, self._most // SHARE):
            raise _busy("source")
        self._checks[source] = mine + 1
        try:
            yield
        finally:
            left = self._checks[source] - 1
            if left:
                self._checks[source] = left
            else:
                del self._checks[source]

    def close(self) -> None:
        """Ends the threads; checks that still wait are given up."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _compute(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _check(self, hashed: str | None, secret: str) -> bool:
        try:
            return self._hasher.verify(hashed or self._decoy, secret) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


def _busy(what: str) -> WaybillError:
    text = "too many sign-ins at the same time"
    return WaybillError(Kind.EXHAUSTED, reasons.TOO_MANY_ATTEMPTS, text, metadata={"limit": what}, retry_after=AGAIN)
