"""ListKeys, RotateKey, WithdrawKey."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.clock import Clock
from libs.errors import Violations, missing, precondition
from libs.idempotency.key import RequestKey
from services.directory.application.ports import DirectoryWork, Units
from services.directory.application.tokens.ports import KeyMaker
from services.directory.domain.tokens import signing_keys as domain
from services.directory.domain.tokens.signing_keys import KeyState, SigningKey
from waybill.directory.v1 import reasons

KEY = "signing key"


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key and its state."""

    key: SigningKey
    state: KeyState


class SigningKeys:
    """The keys that sign tokens, for operators."""

    def __init__(
        self, units: Units, clock: Clock, maker: KeyMaker, lead: timedelta, changed: Callable[[], Awaitable[None]]
    ) -> None:
        """A new key is published for `lead` before it signs. `changed` is awaited after a change is stored."""
        self._units = units
        self._clock = clock
        self._maker = maker
        self._lead = lead
        self._changed = changed

    async def list(self) -> list[ShownKey]:
        """All of them, the newest first."""
        async with self._units.reading() as work:
            keys = await work.signing_keys.every()
        return _shown(keys, self._clock.now())

    async def rotate(self, request: RequestKey | None) -> ShownKey:
        """Makes the next key and returns it. Raises KEY_ROTATION_RUNNING."""
        made, now = await self._maker.make(), self._clock.now()

        async def do(work: DirectoryWork) -> ShownKey:
            keys = await work.signing_keys.locked()
            before = await work.requests.claim(request, {"keys": [[made.kid]]}, now)
            if before is not None:
                return _one(keys, before["keys"][0][0], now)
            pending = domain.published(keys, now)
            if pending is not None:
                text = f"key {pending.kid} is published and does not sign yet"
                raise precondition(reasons.KEY_ROTATION_RUNNING, text, key=pending.kid)
            new, *others = domain.rotated(keys, made.kid, now, self._lead)
            await work.signing_keys.add(new, made)
            await work.signing_keys.change(others)
            work.trail.note(KEY, made.kid, now)
            return _one(await work.signing_keys.every(), made.kid, now)

        done = await self._units.retrying(do)
        await self._changed()
        return done

    async def withdraw(self, kid: str, request: RequestKey | None) -> tuple[ShownKey, ShownKey]:
        """Ends a key at once, and returns it and the one that signs from now on. Raises RESOURCE_NOT_FOUND."""
        found = Violations()
        found.check_id("kid", kid)
        found.raise_if_any()
        made, now = await self._maker.make(), self._clock.now()

        async def do(work: DirectoryWork) -> tuple[ShownKey, ShownKey]:
            keys = await work.signing_keys.locked()
            key = next((key for key in keys if key.kid == kid), None)
            if key is None:
                raise missing(KEY, kid)
            if await work.requests.claim(request, {"keys": [[kid]]}, now) is None:
                changes = domain.withdrawn(keys, key, made.kid, now)
                for new in (change for change in changes if change.kid == made.kid):
                    await work.signing_keys.add(new, made)
                await work.signing_keys.change([change for change in changes if change.kid != made.kid])
                work.trail.note(KEY, kid, now)
            keys = await work.signing_keys.every()
            current = domain.signing(keys, now)
            return _one(keys, kid, now), _one(keys, current.kid if current else kid, now)

        done = await self._units.retrying(do)
        await self._changed()
        return done


def _shown(keys: Sequence[SigningKey], now: datetime) -> list[ShownKey]:
    newest = sorted(keys, key=lambda key: (key.create_time, key.kid), reverse=True)
    return [ShownKey(key, domain.state_of(key, keys, now)) for key in newest]


def _one(keys: Sequence[SigningKey], kid: str, now: datetime) -> ShownKey:
    found = next((shown for shown in _shown(keys, now) if shown.key.kid == kid), None)
    if found is None:
        # Made once by a call that is repeated now, and dropped since then with a sealing key that was lost.
        raise missing("signing key", kid)
    return found
