"""Access tokens: what of a user's roles and groups goes into one, and who signs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from libs.auth import PartyKind, Principal
from libs.auth.roles import FULL_ACCESS
from libs.clock import Clock
from libs.errors import Kind, WaybillError
from libs.ids import IdSource
from services.directory.application.ports import Accounts
from services.directory.application.tokens.ports import KeyRing
from services.directory.domain.access import GUESTS, lacked, token_roles
from services.directory.domain.tokens.grants import Account, Client, generations_of
from waybill.directory.v1 import reasons

CART = "cart"
"""How the id of a guest's order begins."""
TOKEN_LENGTH = 3_800
"""A token with groups is shorter: a cookie has room for it, and a call's metadata for the same claims once more."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What gets further tokens, as its holder has it."""

    token: str
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that calls carry, and what gets the next one."""

    token: str
    expire_time: datetime
    lifetime: timedelta
    roles: frozenset[str]
    refresh: RefreshToken | None = None
    order_id: str = ""
    """Of a guest: the order that the token is for."""


class AccessTokens:
    """Makes them, for users who are known."""

    def __init__(self, accounts: Accounts, keys: KeyRing, clock: Clock, ids: IdSource) -> None:
        self._accounts = accounts
        self._keys = keys
        self._clock = clock
        self._ids = ids

    async def make(
        self, client: Client, user: Account, wanted: Sequence[str], by: Principal | None = None, guest: bool = False
    ) -> Issued:
        """One for a user whom the client admits, once it is certain who asks for it. `by` is who acts in the user's place. A
        guest's is for an order whose id is made here, and carries no role that a guest may not have. Raises ROLE_MISSING."""
        standing = await self._accounts.standing(user.id)
        held = standing.roles | frozenset(user.roles)
        if role := lacked(held, client.minimum_roles):
            raise unavailable(role)
        order_id = self._ids.public(CART) if guest else ""
        if guest:
            held = GUESTS if FULL_ACCESS in held else held & GUESTS
        roles = token_roles(held, client.roles, wanted)
        if roles is None:
            raise unavailable(next(role for role in wanted if token_roles(held, client.roles, [role]) is None))
        now, ttl = self._clock.now(), timedelta(minutes=client.anonymous_minutes if order_id else client.minutes)
        principal = Principal(
            user.id, user.party_id, PartyKind(user.party_kind), roles, client.id, groups=standing.groups, order_id=order_id
        )
        principal = principal if by is None else replace(principal, impersonator_id=by.user_id)
        # Read before what the token is to carry: what is taken away meanwhile ends the token.
        generations = generations_of(client, user)
        signer = await self._keys.signer(now)
        token = signer.issue(principal, ttl, now, user.username, generations, by)
        if len(token) >= TOKEN_LENGTH and principal.groups:
            token = signer.issue(replace(principal, groups=None), ttl, now, user.username, generations, by)
        return Issued(token, now + ttl, ttl, roles, order_id=order_id)


def unavailable(role: str) -> WaybillError:
    """A role that is wanted, or that the client asks of everyone, is not to be had."""
    text = f"the role {role[:100]!r} is not available here"
    return WaybillError(Kind.DENIED, reasons.ROLE_MISSING, text, metadata={"role": role[:100]})
