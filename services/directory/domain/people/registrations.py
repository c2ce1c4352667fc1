"""People who register: what they ask for, and what is said to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

CONFIRMATION, NAME_TAKEN = "REGISTRATION_CONFIRMATION", "REGISTRATION_NAME_TAKEN"
"""Kinds of messages."""
WAITING = 3
"""Registrations, and messages that are not sent yet, of one e-mail address at the same time: the newest. The contract says it."""
_EMAIL = re.compile(r"[^\s@<>(),;:\"\\\[\]]+@[^\s@<>(),;:\"\\\[\].]+(\.[^\s@<>(),;:\"\\\[\].]+)+\Z")


def plausible(email: str) -> bool:
    """Whether mail can go to it, as far as its form says: a name without blanks, an @, and a domain of two parts or more."""
    return _EMAIL.match(email) is not None


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who wants to become a user, as it has said so."""

    username: str
    email: str
    first_name: str
    last_name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Registration:
    """A user that waits to be confirmed."""

    applicant: Applicant
    password_hash: str
    client_id: str
    buyer_id: str
    create_time: datetime
    expire_time: datetime

    def waits(self, now: datetime) -> bool:
        """Whether it can be confirmed."""
        return now < self.expire_time


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one e-mail address."""

    id: str
    kind: str
    email: str
    username: str
    first_name: str
    client_id: str
    token: str
    """Empty for none that can be used."""
    expire_time: datetime
    create_time: datetime
    sent_time: datetime | None = None
