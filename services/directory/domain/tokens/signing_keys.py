"""The life of a key that signs tokens: published, signing, verifying, retired; or withdrawn at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from libs.auth.revocations import LONGEST

LAST_TOKEN = timedelta(seconds=LONGEST)
"""How long after its last signature a key still verifies."""


class KeyState(StrEnum):
    """What a key is good for. All but the withdrawal follows from times alone, so that nothing has to happen for it."""

    PUBLISHED = "PUBLISHED"
    """Verifiers learn it; it signs nothing yet."""
    SIGNING = "SIGNING"
    VERIFYING = "VERIFYING"
    """Another signs; the tokens of this one have not ended."""
    RETIRED = "RETIRED"
    """Its last token has ended."""
    WITHDRAWN = "WITHDRAWN"
    """Taken back before that: its tokens hold no longer."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key, without what is secret of it."""

    kid: str
    create_time: datetime
    sign_time: datetime
    """From when it signs."""
    retire_time: datetime | None = None
    """From when it verifies nothing; unset until it has a successor."""
    withdraw_time: datetime | None = None

    def verifies(self, now: datetime) -> bool:
        """Whether the key set holds it."""
        return self.withdraw_time is None and (self.retire_time is None or now < self.retire_time)


def signing(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The key that signs: of those in the key set whose time has come, the newest. Where none's has, as by a clock that is behind
    that of the process which made them, the first of them."""
    held = sorted((key for key in keys if key.verifies(now)), key=lambda key: (key.sign_time, key.kid))
    begun = [key for key in held if key.sign_time <= now]
    return begun[-1] if begun else next(iter(held), None)


def published(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The key that is to sign next."""
    current = signing(keys, now)
    return next((key for key in keys if key.verifies(now) and key.sign_time > now and key != current), None)


def state_of(key: SigningKey, keys: Sequence[SigningKey], now: datetime) -> KeyState:
    """What a key among others is good for now."""
    if key.withdraw_time is not None:
        return KeyState.WITHDRAWN
    if not key.verifies(now):
        return KeyState.RETIRED
    if signing(keys, now) == key:
        return KeyState.SIGNING
    return KeyState.PUBLISHED if key.sign_time > now else KeyState.VERIFYING


def rotated(keys: Sequence[SigningKey], kid: str, now: datetime, lead: timedelta) -> list[SigningKey]:
    """What changes when another key is to sign after `lead`: the new key, first, and the one that it follows."""
    new = SigningKey(kid, now, now + lead)
    former = signing(keys, now)
    return [new] if former is None else [new, replace(former, retire_time=new.sign_time + LAST_TOKEN)]


def withdrawn(keys: Sequence[SigningKey], key: SigningKey, kid: str, now: datetime) -> list[SigningKey]:
    """What changes when a key is taken back: that key, first, and whoever takes its place.

    For the one that signs, the published one signs at once, or else a new key called `kid` does. Without the published one
    the one that signs goes on. A key that has retired, or was withdrawn before, stays what it is.
    """
    state, taken = state_of(key, keys, now), replace(key, withdraw_time=now)
    if state is KeyState.SIGNING:
        next_one = published(keys, now)
        return [taken, SigningKey(kid, now, now) if next_one is None else replace(next_one, sign_time=now)]
    if state is KeyState.PUBLISHED:
        current = signing(keys, now)
        return [taken] if current is None else [taken, replace(current, retire_time=None)]
    return [taken] if state is KeyState.VERIFYING else []
