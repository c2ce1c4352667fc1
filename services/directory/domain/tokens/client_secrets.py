"""Secrets of an API client: several may hold at the same time, so that one takes the place of another without a gap."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from libs.errors import Violations
from waybill.directory.v1 import reasons

MAX_SECRETS: Final = 5
"""Those that hold at the same time."""
LONGEST: Final = timedelta(days=3_650)
CLUE_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """One secret, as a hash."""

    id: str
    name: str
    clue: str
    """By which it is found among the others; empty for one of before there were several, of which a client has one at most."""
    secret_hash: str
    create_time: datetime
    end_time: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it proves anything now."""
        return self.end_time is None or now < self.end_time


def clue_of(secret: str) -> str:
    """The beginning of a digest. Secrets are 32 random bytes: it says nothing of the rest that could be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()[:CLUE_LENGTH]


def candidate(secrets: Sequence[ClientSecret], secret: str, now: datetime) -> ClientSecret | None:
    """The only one that the text can be. So one hash is computed for a check, however many secrets there are."""
    clue, holding = clue_of(secret), [each for each in secrets if each.holds(now)]
    return next((each for each in holding if each.clue == clue), next((each for each in holding if not each.clue), None))


def check_end(found: Violations, where: str, end: datetime | None, now: datetime) -> None:
    """Notes an end that is over, or that nobody would live to see."""
    fits = end is None or now < end <= now + LONGEST
    found.require(where, fits, reasons.VALUE_OUT_OF_RANGE, f"must be later than now, within {LONGEST.days:,} days")
