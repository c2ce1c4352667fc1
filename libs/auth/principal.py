"""The caller, as the token's claims describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from libs.auth.roles import FULL_ACCESS
from libs.errors import denied


class PartyKind(StrEnum):
    """What a company is in the marketplace."""

    SELLER = "SELLER"
    BUYER = "BUYER"
    SUPPLIER = "SUPPLIER"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user of a company, calling through an API client. `service` is set when a service calls for them."""

    user_id: str
    party_id: str
    party_kind: PartyKind
    roles: frozenset[str]
    client_id: str
    service: str | None = None
    groups: frozenset[str] | None = frozenset()
    """Ids of the groups that the user is in; None where the token had no room for them, so that the directory has to be asked."""
    impersonator_id: str = ""
    """The user of the seller who acts in this one's place; empty for none."""
    order_id: str = ""
    """Of a guest: the one order that the token is for. Many guests share a user. Empty for whoever signed in."""
    generations: tuple[int, ...] = field(default=(), compare=False, repr=False)
    """Those that the caller's own token was given in, where it was verified here; no part of who the caller is."""

    def has(self, *roles: str) -> bool:
        """Whether the caller holds any of the roles."""
        return FULL_ACCESS in self.roles or any(role in self.roles for role in roles)

    def require(self, *roles: str) -> None:
        """Raises `ROLE_MISSING`, naming the first, unless the caller holds any of the roles."""
        if not self.has(*roles):
            raise denied(roles[0])

    @property
    def is_seller(self) -> bool:
        """Whether the caller belongs to the owner of the marketplace."""
        return self.party_kind is PartyKind.SELLER

    @property
    def is_guest(self) -> bool:
        """Whether the caller shops without a profile of its own, by a token for one order."""
        return bool(self.order_id)

    @property
    def identity(self) -> str:
        """What counts as one caller where callers are held apart: the user, or one guest of those who share it."""
        return f"guest {self.order_id}" if self.order_id else self.user_id

    def claims(self) -> dict[str, Any]:
        """As claims of a token."""
        return {
            "sub": self.user_id,
            "party": self.party_id,
            "kind": self.party_kind.value,
            "roles": sorted(self.roles),
            "client": self.client_id,
            **({"groups_cut": True} if self.groups is None else {"groups": sorted(self.groups)}),
            **({"imp": self.impersonator_id} if self.impersonator_id else {}),
            **({"order": self.order_id} if self.order_id else {}),
        }

    @staticmethod
    def of_claims(claims: Mapping[str, Any], service: str | None = None) -> Principal:
        """From claims of a token; raises KeyError or ValueError when they are not ours."""
        return Principal(
            str(claims["sub"]),
            str(claims["party"]),
            PartyKind(claims["kind"]),
            frozenset(str(role) for role in claims["roles"]),
            str(claims["client"]),
            service,
            frozenset(str(group) for group in claims["groups"]) if "groups" in claims else None,
            str(claims.get("imp", "")),
            str(claims.get("order", "")),
        )
