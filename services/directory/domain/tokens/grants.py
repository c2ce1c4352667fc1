"""Clients and users as a grant of a token looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.auth import Generations
from services import roles
from services.directory.domain.access import client_admits
from services.directory.domain.tokens.client_secrets import ClientSecret

LONGEST_REFRESH_MINUTES = 524_160
"""The longest life of a refresh token: 364 days, as OrderCloud has it."""

ANONYMOUS_MINUTES = 7 * 24 * 60
"""The life of a visitor's token where a client says nothing."""
LONGEST_ANONYMOUS_MINUTES = 30 * 24 * 60


@dataclass(frozen=True, slots=True)
class Client:
    """An API client."""

    id: str
    active: bool
    minutes: int
    secrets: Sequence[ClientSecret]
    """All that there are, also those that have ended: a client that has had any is never a public one again."""
    default_user_id: str
    roles: Sequence[str]
    seller: bool
    any_buyer: bool
    any_supplier: bool
    buyer_ids: Sequence[str]
    supplier_ids: Sequence[str]
    minimum_roles: Sequence[str] = ()
    generation: int = 0
    refresh_minutes: int = 0
    allowed_origins: Sequence[str] = ()
    anonymous_user_id: str = ""
    anonymous_minutes: int = ANONYMOUS_MINUTES
    registration_buyer_id: str = ""

    def serves(self, origin: str) -> bool:
        """Whether a web page of this origin may get tokens; no origin is a program that is no web page."""
        return not origin or not self.allowed_origins or origin in self.allowed_origins


@dataclass(frozen=True, slots=True)
class ClientAccess:
    """Whom a client admits, and with what."""

    active: bool
    default_user_id: str
    roles: Sequence[str]
    seller: bool
    any_buyer: bool
    any_supplier: bool
    buyer_ids: Sequence[str]
    supplier_ids: Sequence[str]
    minimum_roles: Sequence[str]
    refreshes: bool = False
    """Whether it grants refresh tokens."""
    anonymous_user_id: str = ""

    def narrowed(self, new: ClientAccess) -> bool:
        """Whether anyone would get less than before."""
        return (
            (self.active and not new.active)
            or self.default_user_id not in ("", new.default_user_id)
            or self.anonymous_user_id not in ("", new.anonymous_user_id)
            or _narrowed_limit(self.roles, new.roles)
            or (self.seller and not new.seller)
            or _narrowed_to(self.any_buyer, self.buyer_ids, new.any_buyer, new.buyer_ids)
            or _narrowed_to(self.any_supplier, self.supplier_ids, new.any_supplier, new.supplier_ids)
            or not set(new.minimum_roles) <= set(self.minimum_roles)
            # Or those that it has granted would be back with the next refresh token that it grants.
            or (self.refreshes and not new.refreshes)
        )


def _narrowed_limit(old: Sequence[str], new: Sequence[str]) -> bool:
    """No roles are no limit."""
    return bool(new) and (not old or not set(old) <= set(new))


def _narrowed_to(any_old: bool, old: Sequence[str], any_new: bool, new: Sequence[str]) -> bool:
    return not any_new and (any_old or not set(old) <= set(new))


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user has beside its own account at the moment when it signs in."""

    roles: frozenset[str] = frozenset()
    """By security profiles of its company, its groups and its own."""
    groups: frozenset[str] | None = frozenset()
    """Those that it is in; None for more than any token has room for."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user, and whether its company takes part."""

    id: str
    username: str
    party_kind: str
    party_id: str
    party_active: bool
    active: bool
    roles: Sequence[str]
    password_hash: str | None
    generation: int = 0
    party_generation: int = 0


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """What a refresh token stands for: a user who has signed in through a client, and what it asked for."""

    user_id: str
    client_id: str
    roles: Sequence[str]
    """Empty for all that are to be had."""
    generations: Generations
    create_time: datetime
    expire_time: datetime

    def holds(self, client: Client | None, user: Account | None, now: datetime) -> bool:
        """Whether it is the user's and the client's, and nothing that it was given under has ended."""
        return (
            client is not None
            and user is not None
            and (self.user_id, self.client_id) == (user.id, client.id)
            and client.refresh_minutes > 0
            and self.generations == generations_of(client, user)
            and now < self.expire_time
        )

    def lacks(self, wanted: Sequence[str]) -> str:
        """The first role that is wanted and was not asked for; empty when there is none."""
        if not self.roles or roles.FULL_ACCESS in self.roles:
            return ""
        return next((role for role in wanted if role not in self.roles), "")


def generations_of(client: Client, user: Account) -> Generations:
    """Those that a token is given in now."""
    return Generations(user.generation, client.generation, user.party_generation)


def admits(client: Client, user: Account) -> bool:
    """Whether the client lets the user in now."""
    return client.active and user.active and user.party_active and admits_company(client, user)


def admits_company(client: Client, user: Account) -> bool:
    """Whether the client is for users of this one's company."""
    return client_admits(
        user.party_kind,
        user.party_id,
        seller=client.seller,
        any_buyer=client.any_buyer,
        any_supplier=client.any_supplier,
        buyer_ids=client.buyer_ids,
        supplier_ids=client.supplier_ids,
    )
