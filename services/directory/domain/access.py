"""Who may see and change parties, users and addresses."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from libs.auth import PartyKind, Principal, roles
from libs.errors import Violations, missing


def sees_party(caller: Principal, kind: str, id: str) -> bool:
    """Everyone sees the own company, the seller and services see all."""
    if caller.service is not None or caller.party_kind is PartyKind.SELLER:
        return True
    return caller.party_kind.value == kind and caller.party_id == id


def require_party(caller: Principal, kind: str, id: str) -> None:
    """Raises NOT_FOUND for a company that the caller may not see."""
    if not sees_party(caller, kind, id):
        raise missing(kind.lower(), id)


def grantable(found: Violations, where: str, caller: Principal, wanted: Sequence[str]) -> None:
    """A user cannot give roles that it does not hold, unless it has FullAccess."""
    for i, role in enumerate(wanted):
        if role not in roles.ALL_ROLES:
            found.add(f"{where}[{i}]", "ROLE_NOT_AVAILABLE", f"there is no role {role!r}")
        elif not caller.has(role):
            found.add(f"{where}[{i}]", "ROLE_NOT_AVAILABLE", f"you do not hold {role}")


def token_roles(held: Collection[str], most: Collection[str], wanted: Collection[str]) -> frozenset[str] | None:
    """Roles of a token: what the user holds, within the client's limit, within what is wanted.

    FullAccess within a limit means every role of the limit. None when something wanted is not available.
    """
    full = roles.FULL_ACCESS in held
    available = (roles.ALL_ROLES if full else frozenset(held)) if most or wanted else frozenset(held)
    if most:
        available = available & frozenset(most)
    if not wanted:
        return available
    return frozenset(wanted) if frozenset(wanted) <= available else None


def client_admits(
    kind: str, party_id: str, *, seller: bool, any_buyer: bool, any_supplier: bool,
    buyer_ids: Collection[str], supplier_ids: Collection[str],
) -> bool:  # fmt: skip
    """Whether users of a company may come through an API client."""
    if kind == PartyKind.SELLER.value:
        return seller
    if kind == PartyKind.BUYER.value:
        return any_buyer or party_id in buyer_ids
    return any_supplier or party_id in supplier_ids
