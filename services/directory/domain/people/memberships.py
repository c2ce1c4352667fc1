"""Groups of users, who is in them, and who has which security profile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libs.json_value import JsonObject


@dataclass(frozen=True, slots=True)
class Group:
    """A group of users of one company (`BUYER:acme`)."""

    id: str
    party: str
    name: str
    description: str
    xp: JsonObject
    version: int
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A user is in a group."""

    group_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class ProfileAssignment:
    """Gives the roles of a profile to a company (`BUYER:acme`), to a group or to a user: two of the three are empty."""

    profile_id: str
    party: str = ""
    group_id: str = ""
    user_id: str = ""
