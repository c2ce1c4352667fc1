"""What API clients must obey: whoever commands a client could act as its default user, so it must hold those roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libs.auth import Principal, roles
from libs.clock import Clock
from libs.errors import Violations, missing, precondition
from services.directory.application.ports import (
    ClientSecrets,
    KnownUser,
    Parties,
    Request,
    Requests,
    Secrets,
    Transactions,
    Tx,
    Users,
)
from services.directory.domain.access import commands, require_seller, token_roles


def _own_roles(user: KnownUser | None, most: Sequence[str]) -> frozenset[str]:
    """What a token of the client itself carries."""
    return frozenset() if user is None else token_roles(user.roles, most, ()) or frozenset()


class ClientRules:
    """The checks that need the database."""

    def __init__(self, parties: Parties, users: Users) -> None:
        self._parties = parties
        self._users = users

    async def __call__(
        self, tx: Tx, found: Violations, caller: Principal, items: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> None:
        """Users and companies exist; the caller holds what the client's own tokens carry."""
        known = await self._users.known(tx, {values["default_user_id"] for _, values in items} - {""})
        companies = {company for _, values in items for _, company in _companies(values)}
        existing = await self._parties.existing(tx, companies)
        for where, values in items:
            user = known.get(values["default_user_id"])
            there = user is not None or not values["default_user_id"]
            found.require(f"{where}.default_user_id", there, "USER_NOT_FOUND", "there is no such user")
            commands(found, f"{where}.default_user_id", caller, _own_roles(user, values["roles"]))
            for field, company in _companies(values):
                found.require(f"{where}.{field}", company in existing, "PARTY_NOT_FOUND", "the company does not exist")


def _companies(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"{field}[{i}]", f"{kind}:{id}")
        for field, kind in (("buyer_ids", "BUYER"), ("supplier_ids", "SUPPLIER"))
        for i, id in enumerate(values[field])
    ]


class RotateSecret:
    """RotateSecret."""

    def __init__(
        self, transactions: Transactions, requests: Requests, clients: ClientSecrets, users: Users, secrets: Secrets, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._requests = requests
        self._clients = clients
        self._users = users
        self._secrets = secrets
        self._clock = clock

    async def __call__(self, caller: Principal, client_id: str, secret: str, request: Request) -> None:
        """Makes `secret` the client's only one.

        Raises `SECRET_SHOWN_ONCE` for a repeat: no secret is recorded with its request, and an empty answer could be
        taken for one.
        """
        require_seller(caller, roles.API_CLIENT_ADMIN)
        found = Violations()
        found.check_id("api_client_id", client_id)
        found.raise_if_any()
        hashed = await self._secrets.hash(secret)
        now = self._clock.now()

        async def work(tx: Tx) -> None:
            if await self._requests.claim(tx, request, {}, now) is not None:
                text = "the request has made a secret, which cannot be shown again: rotate under another request id"
                raise precondition("SECRET_SHOWN_ONCE", text, api_client=client_id)
            limits = await self._clients.limits(tx, client_id)
            if limits is None:
                raise missing("API client", client_id)
            user_id, most = limits
            user = (await self._users.known(tx, [user_id])).get(user_id) if user_id else None
            commands(found, "api_client_id", caller, _own_roles(user, most))
            found.raise_if_any()
            await self._clients.set_secret(tx, client_id, hashed, now)

        await self._transactions.retrying(work)
