"""What users must obey: companies exist, names are free, nobody gives or takes over what it does not hold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations, missing, precondition
from libs.idempotency.key import RequestKey
from libs.identify import folded
from services.directory.application.bootstrap import OWNER
from services.directory.application.ports import DirectoryWork, KnownUser, Secrets, Units
from services.directory.domain.access import commands, grantable
from waybill.directory.v1 import reasons

PASSWORD_LENGTHS = (8, 200)
"""Least and most characters of a password. No setting: clients know them from the contract."""


@dataclass(frozen=True, slots=True)
class UserValues:
    """A user as it would become, and the field of the request that says so."""

    where: str
    id: str
    party: str
    username: str
    active: bool
    roles: Sequence[str]


def check_password(found: Violations, where: str, password: str, required: bool = False) -> None:
    """Notes a password that is missing, too short or too long."""
    least, most = PASSWORD_LENGTHS
    if password:
        found.require(where, least <= len(password) <= most, reasons.VALUE_OUT_OF_RANGE, f"{least} to {most} characters")
    else:
        found.require(where, not required, reasons.FIELD_REQUIRED, "is required")


class UserRules:
    """The checks that need the database, and what is stored beside the resource."""

    def __init__(self, secrets: Secrets, at_once: int, clock: Clock) -> None:
        """`at_once` passwords of one batch are hashed at the same time."""
        self._secrets = secrets
        self._at_once = at_once
        self._clock = clock

    async def hashes(self, passwords: Sequence[str]) -> list[str | None]:
        """A hash for every password, none for an empty one."""
        free = asyncio.Semaphore(self._at_once)

        async def one(password: str) -> str | None:
            if not password:
                return None
            async with free:
                return await self._secrets.hash(password)

        return list(await asyncio.gather(*(one(password) for password in passwords)))

    async def keep(self, work: DirectoryWork, names: Sequence[tuple[str, str]], hashes: Sequence[str | None]) -> None:
        """Stores folded names and hashes of (id, user name) in the transaction that stores the users."""
        await work.users.keep([(id, folded(name), hash) for (id, name), hash in zip(names, hashes, strict=True)])

    async def of_new(self, work: DirectoryWork, found: Violations, caller: Principal, users: Sequence[UserValues]) -> None:
        """Companies exist, names are free, roles may be given, also those that the company's profiles give."""
        known = await work.parties.existing({user.party for user in users if user.party})
        given = await work.profiles.of_companies(known)
        for user in users:
            there = not user.party or user.party in known
            found.require(f"{user.where}.party", there, reasons.PARTY_NOT_FOUND, "the company does not exist")
            grantable(found, f"{user.where}.roles", caller, user.roles)
            commands(found, f"{user.where}.party", caller, given.get(user.party, frozenset()))
        await _free_names(work, found, users)

    async def of_changed(
        self, work: DirectoryWork, found: Violations, caller: Principal, user: UserValues, password: bool
    ) -> None:
        """As of new ones; and whoever changes how a user signs in must hold the user's roles."""
        old = (await work.users.known([user.id]))[user.id]
        if list(old.roles) != list(user.roles):
            grantable(found, f"{user.where}.roles", caller, user.roles)
        if password or _differs(old, user):
            commands(found, f"{user.where}.id", caller, old.held)
        await _free_names(work, found, [user])
        if not found and (password or (old.active and not user.active) or not set(old.roles) <= set(user.roles)):
            await work.revocations.users([user.id], self._clock.now())

    async def of_deleted(self, work: DirectoryWork, found: Violations, caller: Principal, id: str) -> None:
        """Whoever deletes a user must hold the user's roles; what only says something of the user ends with it."""
        user_may_go(caller, id)
        user = (await work.users.known([id]))[id]
        commands(found, "user_id", caller, user.held)
        now = self._clock.now()
        await work.groups.leave_all(id, now)
        await work.profiles.withdraw_all(id, now)
        await work.revocations.users([id], now)


async def _free_names(work: DirectoryWork, found: Violations, users: Sequence[UserValues]) -> None:
    taken = await work.users.names({folded(user.username) for user in users})
    seen: set[str] = set()
    for user in users:
        name = folded(user.username)
        free = taken.get(name, user.id) == user.id and name not in seen
        found.require(f"{user.where}.username", free or not name, reasons.USERNAME_TAKEN, "the user name is taken")
        seen.add(name)


def _differs(old: KnownUser, new: UserValues) -> bool:
    return old.username != new.username or old.active != new.active or list(old.roles) != list(new.roles)


def user_may_go(caller: Principal, id: str) -> None:
    """Raises `CANNOT_BE_DELETED` for the caller itself, and for the owner: so there is always one who may do everything."""
    if id in (OWNER, caller.user_id):
        raise precondition(reasons.CANNOT_BE_DELETED, f"user {id!r} stays", resource="user", id=id)


class SetPassword:
    """SetPassword."""

    def __init__(self, units: Units, secrets: Secrets, clock: Clock) -> None:
        self._units = units
        self._secrets = secrets
        self._clock = clock

    async def __call__(self, caller: Principal, user_id: str, password: str, request: RequestKey | None) -> None:
        """Needs every role that the user holds."""
        found = Violations()
        found.check_id("user_id", user_id)
        check_password(found, "password", password, required=True)
        found.raise_if_any()
        hashed = await self._secrets.hash(password)
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            user = await work.users.managed(caller, user_id)
            if user is None:
                raise missing("user", user_id)
            commands(found, "user_id", caller, user.held)
            found.raise_if_any()
            await work.users.set_password(user_id, hashed, now)
            await work.revocations.users([user_id], now)

        await self._units.retrying(do)
