"""What users must obey: companies exist, names are free, nobody gives or takes over what it does not hold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from libs.auth import Principal, roles
from libs.clock import Clock
from libs.errors import Violations, missing
from libs.identify import folded
from services.directory.application.ports import KnownUser, Parties, Request, Requests, Secrets, Transactions, Tx, Users
from services.directory.domain.access import commands, grantable

PASSWORD_LENGTHS = (8, 200)
AT_ONCE = 2
"""Passwords of one batch that are hashed at the same time; the rest of the threads is for those who sign in."""
Items = Sequence[tuple[str, Mapping[str, Any]]]


def check_password(found: Violations, where: str, password: str, required: bool = False) -> None:
    """Notes a password that is missing, too short or too long."""
    least, most = PASSWORD_LENGTHS
    if password:
        found.require(where, least <= len(password) <= most, "VALUE_OUT_OF_RANGE", f"{least} to {most} characters")
    else:
        found.require(where, not required, "FIELD_REQUIRED", "is required")


class UserRules:
    """The checks that need the database, and what is stored beside the resource."""

    def __init__(self, parties: Parties, users: Users, secrets: Secrets) -> None:
        self._parties = parties
        self._users = users
        self._secrets = secrets

    async def hashes(self, passwords: Sequence[str]) -> list[str | None]:
        """A hash for every password, none for an empty one."""
        free = asyncio.Semaphore(AT_ONCE)

        async def one(password: str) -> str | None:
            if not password:
                return None
            async with free:
                return await self._secrets.hash(password)

        return list(await asyncio.gather(*(one(password) for password in passwords)))

    async def keep(self, tx: Tx, rows: Sequence[Mapping[str, Any]], hashes: Sequence[str | None]) -> None:
        """Stores folded names and hashes in the transaction that stores the users."""
        await self._users.keep(tx, [(row["id"], folded(row["username"]), h) for row, h in zip(rows, hashes, strict=True)])

    async def of_new(self, tx: Tx, found: Violations, caller: Principal, items: Items) -> None:
        """Companies exist, names are free, roles may be given."""
        known = await self._parties.existing(tx, {values["party"] for _, values in items if values["party"]})
        for where, values in items:
            found.require(
                f"{where}.party", not values["party"] or values["party"] in known, "PARTY_NOT_FOUND", "the company does not exist"
            )
            grantable(found, f"{where}.roles", caller, values["roles"])
        await self._names(tx, found, items)

    async def of_changed(self, tx: Tx, found: Violations, caller: Principal, items: Items, password: bool) -> None:
        """As of new ones; and whoever changes how a user signs in must hold the user's roles."""
        before = await self._users.known(tx, [values["id"] for _, values in items])
        for where, values in items:
            old = before[values["id"]]
            if list(old.roles) != list(values["roles"]):
                grantable(found, f"{where}.roles", caller, values["roles"])
            if password or _differs(old, values):
                commands(found, f"{where}.id", caller, old.roles)
        await self._names(tx, found, items)

    async def _names(self, tx: Tx, found: Violations, items: Items) -> None:
        names = {folded(values["username"]): values["id"] for _, values in items}
        taken = await self._users.names(tx, names)
        seen: set[str] = set()
        for where, values in items:
            name = folded(values["username"])
            free = taken.get(name, values["id"]) == values["id"] and name not in seen
            found.require(f"{where}.username", free or not name, "USERNAME_TAKEN", "the user name is taken")
            seen.add(name)


def _differs(old: KnownUser, values: Mapping[str, Any]) -> bool:
    return old.username != values["username"] or old.active != values["active"] or list(old.roles) != list(values["roles"])


class SetPassword:
    """SetPassword."""

    def __init__(self, transactions: Transactions, requests: Requests, users: Users, secrets: Secrets, clock: Clock) -> None:
        self._transactions = transactions
        self._requests = requests
        self._users = users
        self._secrets = secrets
        self._clock = clock

    async def __call__(self, caller: Principal, user_id: str, password: str, request: Request) -> None:
        """Needs UserAdmin, and every role that the user holds."""
        caller.require(roles.USER_ADMIN)
        found = Violations()
        found.check_id("user_id", user_id)
        check_password(found, "password", password, required=True)
        found.raise_if_any()
        hashed = await self._secrets.hash(password)
        now = self._clock.now()

        async def work(tx: Tx) -> None:
            if await self._requests.claim(tx, request, {}, now) is not None:
                return
            user = await self._users.visible(tx, caller, user_id)
            if user is None:
                raise missing("user", user_id)
            commands(found, "user_id", caller, user.roles)
            found.raise_if_any()
            await self._users.set_password(tx, user_id, hashed, now)

        await self._transactions.retrying(work)
