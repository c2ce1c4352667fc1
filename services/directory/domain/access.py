"""Who may see and change parties, users and addresses, and which roles can be had."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from libs.auth import PartyKind, Principal
from libs.errors import Violations, missing
from services import roles
from waybill.directory.v1 import reasons

_USER_ADMINS: Final = {
    PartyKind.SELLER: roles.ADMIN_USER_ADMIN,
    PartyKind.BUYER: roles.BUYER_USER_ADMIN,
    PartyKind.SUPPLIER: roles.SUPPLIER_USER_ADMIN,
}
"""By kind of company the role that is for its users alone."""
_USER_READERS: Final = {
    PartyKind.SELLER: roles.ADMIN_USER_READER,
    PartyKind.BUYER: roles.BUYER_USER_READER,
    PartyKind.SUPPLIER: roles.SUPPLIER_USER_READER,
}
"""By kind of company the role that reads its users and changes none."""


def sees_party(caller: Principal, kind: str, id: str) -> bool:
    """Everyone sees the own company, the seller sees all."""
    if caller.party_kind is PartyKind.SELLER:
        return True
    return caller.party_kind.value == kind and caller.party_id == id


def require_party(caller: Principal, kind: str, id: str) -> None:
    """Raises NOT_FOUND for a company that the caller may not see."""
    if not sees_party(caller, kind, id):
        raise missing(kind.lower(), id)


def managed_kinds(caller: Principal) -> frozenset[PartyKind]:
    """Kinds of companies whose users the caller may create, change and delete. Of its own kind a buyer or a supplier has its own
    company alone, and of the other kinds none, whatever its roles."""
    return _within_reach(caller, {kind for kind, role in _USER_ADMINS.items() if caller.has(roles.USER_ADMIN, role)})


def read_kinds(caller: Principal) -> frozenset[PartyKind]:
    """Kinds of companies of whose users the caller may read others than itself: those that it manages, and those that its Readers
    are for. Of its own kind a buyer or a supplier has its own company alone."""
    held = {kind for kind, role in _USER_READERS.items() if caller.has(role)}
    return managed_kinds(caller) | _within_reach(caller, held)


def _within_reach(caller: Principal, kinds: set[PartyKind]) -> frozenset[PartyKind]:
    return frozenset(kinds if caller.is_seller else kinds & {caller.party_kind})


def require_managed(caller: Principal, kind: str, id: str) -> None:
    """Raises NOT_FOUND for a company whose users the caller may not see, or not change."""
    require_party(caller, kind, id)
    if PartyKind(kind) not in managed_kinds(caller):
        raise missing(kind.lower(), id)


def written_books(caller: Principal) -> set[str]:
    """Kinds of companies in whose address books a narrower role than AddressAdmin lets the caller write."""
    own = caller.is_seller and caller.has(roles.ADMIN_ADDRESS_ADMIN)
    suppliers = caller.party_kind is not PartyKind.BUYER and caller.has(roles.SUPPLIER_ADDRESS_ADMIN)
    kinds = ((PartyKind.SELLER, own), (PartyKind.SUPPLIER, suppliers))
    return {kind.value for kind, held in kinds if held}


def reads_whole_book(caller: Principal, book: str) -> bool:
    """Whether the caller reads all of a company's address book (`BUYER:acme`), also what its users keep for themselves."""
    return caller.has(roles.ADDRESS_ADMIN, roles.ADDRESS_READER) or book.partition(":")[0] in written_books(caller)


def known_roles(found: Violations, where: str, wanted: Sequence[str]) -> None:
    """Notes roles that do not exist, or stand twice."""
    for i, role in enumerate(wanted):
        if role not in roles.ALL_ROLES:
            found.add(f"{where}[{i}]", reasons.ROLE_NOT_AVAILABLE, f"there is no role {role[:100]!r}")
        found.require(f"{where}[{i}]", role not in wanted[:i], reasons.DUPLICATE_ITEM, f"{role[:100]} stands twice")


def grantable(found: Violations, where: str, caller: Principal, wanted: Sequence[str]) -> None:
    """A user cannot give roles that it does not hold, unless it has FullAccess. Unknown ones are noted elsewhere."""
    for i, role in enumerate(wanted):
        held = caller.has(role) or role not in roles.ALL_ROLES
        found.require(f"{where}[{i}]", held, reasons.ROLE_NOT_AVAILABLE, f"you do not hold {role}")


def commands(found: Violations, where: str, caller: Principal, held: Collection[str]) -> None:
    """Whoever can act as another, by its password or secret, would gain its roles: so it must hold them."""
    lacking = sorted(role for role in held if not caller.has(role))
    found.require(where, not lacking, reasons.ROLE_NOT_AVAILABLE, f"you do not hold {', '.join(lacking)}")


def token_roles(held: Collection[str], most: Collection[str], wanted: Collection[str]) -> frozenset[str] | None:
    """Roles of a token: what the user holds, within the client's limit, within what is wanted.

    FullAccess within a limit means every role of the limit; FullAccess as a limit is none. None when something
    wanted is not available.
    """
    limited = bool(most) and roles.FULL_ACCESS not in most
    full = roles.FULL_ACCESS in held
    available = roles.ALL_ROLES if full and (limited or wanted) else frozenset(held)
    if limited:
        available = available & frozenset(most)
    if not wanted:
        return available
    return frozenset(wanted) if frozenset(wanted) <= available else None


GUESTS = frozenset({roles.SHOPPER, roles.ME_CREDIT_CARD_ADMIN})
"""What a guest's token may carry: to shop, and to have a card noted for its one order."""


def beyond_anonymous(carried: Collection[str]) -> list[str]:
    """Roles that a token which everybody can have must not carry: with any of them visitors would read or change what is other
    people's, or what they all share."""
    return sorted(set(carried) - GUESTS)


def lacked(held: Collection[str], asked: Sequence[str]) -> str:
    """The first role that is asked for and not held; empty when there is none. FullAccess holds every role."""
    return "" if roles.FULL_ACCESS in held else next((role for role in asked if role not in held), "")


def client_admits(
    kind: str,
    party_id: str,
    *,
    seller: bool,
    any_buyer: bool,
    any_supplier: bool,
    buyer_ids: Collection[str],
    supplier_ids: Collection[str],
) -> bool:
    """Whether users of a company may come through an API client."""
    if kind == PartyKind.SELLER.value:
        return seller
    if kind == PartyKind.BUYER.value:
        return any_buyer or party_id in buyer_ids
    return any_supplier or party_id in supplier_ids
