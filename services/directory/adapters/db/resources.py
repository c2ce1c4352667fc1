"""Resources of the directory in their tables: who sees and changes which rows, and what refers to them."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from libs.auth import PartyKind, Principal
from libs.resource.database import Resource, UsedBy
from services.directory.adapters.db.tables import (
    ADDRESS_ASSIGNMENTS,
    ADDRESSES,
    BUYERS,
    CLIENTS,
    COST_CENTER_ASSIGNMENTS,
    COST_CENTERS,
    MEMBERS,
    PROFILE_ASSIGNMENTS,
    PROFILES,
    SELLERS,
    SUPPLIERS,
    USER_GROUPS,
    USERS,
)
from services.directory.contract import resources
from services.directory.domain.access import managed_kinds, read_kinds


def _visible(table: sa.Table, kind: PartyKind, caller: Principal) -> sa.ColumnElement[bool] | None:
    """Companies of one kind: the own one, or all for the seller."""
    if caller.is_seller:
        return None
    return table.c.id == caller.party_id if caller.party_kind is kind else sa.false()


def _of_own_company(table: sa.Table, caller: Principal) -> sa.ColumnElement[bool] | None:
    if caller.is_seller:
        return None
    return table.c.party == f"{caller.party_kind.value}:{caller.party_id}"


def users_of_company(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Users of the own company, or all for the seller, whoever may read them."""
    return _of_own_company(USERS, caller)


def visible_users(caller: Principal) -> sa.ColumnElement[bool] | None:
    """The caller itself, and with a role over users those that the role is for."""
    reached = _of_kinds(caller, read_kinds(caller))
    return None if reached is None else sa.or_(USERS.c.id == caller.user_id, reached)


def managed_users(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Users that the caller may change and delete: itself only where its role is for its own kind of company."""
    return _of_kinds(caller, managed_kinds(caller))


def _of_kinds(caller: Principal, kinds: frozenset[PartyKind]) -> sa.ColumnElement[bool] | None:
    """Users of such companies that the caller reaches: of its own, or for the seller of all."""
    if kinds == frozenset(PartyKind):
        return None
    if not caller.is_seller:
        return users_of_company(caller) if kinds else sa.false()
    return sa.or_(sa.false(), *(USERS.c.party.startswith(f"{kind.value}:") for kind in sorted(kinds)))


def visible_groups(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Groups of the own company, or all."""
    return _of_own_company(USER_GROUPS, caller)


def visible_cost_centers(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Cost centers of the own company, or all."""
    if caller.is_seller:
        return None
    return COST_CENTERS.c.buyer_id == caller.party_id if caller.party_kind is PartyKind.BUYER else sa.false()


def usable_cost_centers(caller: Principal) -> sa.ColumnElement[bool]:
    """Cost centers that lines of the caller's own orders may name."""
    own = COST_CENTERS.c.buyer_id == caller.party_id if caller.party_kind is PartyKind.BUYER else sa.false()
    return sa.and_(own, COST_CENTERS.c.active, charged_by(caller.user_id))


def charged_by(user_id: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """Cost centers that are assigned to the user, to a group that it is in, or to every user of their buyer."""
    a = COST_CENTER_ASSIGNMENTS.c
    groups = sa.select(MEMBERS.c.user_group_id).where(MEMBERS.c.user_id == user_id)
    to = sa.or_(sa.and_(a.user_group_id == "", a.user_id.in_(("", user_id))), a.user_group_id.in_(groups))
    return sa.exists().where(a.cost_center_id == COST_CENTERS.c.id, to)


def assigned_to(user_id: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """Assignments of addresses to the user, to a group that it is in, or to the whole company."""
    groups = sa.select(MEMBERS.c.user_group_id).where(MEMBERS.c.user_id == user_id)
    by_group, own = ADDRESS_ASSIGNMENTS.c.user_group_id, ADDRESS_ASSIGNMENTS.c.user_id.in_(("", user_id))
    return sa.or_(sa.and_(by_group == "", own), by_group.in_(groups))


def kept_for(user_id: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """Addresses that no user but this one keeps for itself."""
    return ADDRESSES.c.user_id.in_(("", user_id))


def _uses(kind: PartyKind, admitting: str) -> list[UsedBy]:
    """What names a company: its users, groups, addresses, cost centers and security profiles, and the clients that admit it by
    name, in the column `admitting`."""

    def of(column: sa.ColumnElement[str]) -> Callable[[str, str], sa.ColumnElement[bool]]:
        return lambda _, id: column == f"{kind.value}:{id}"

    def admitted(dialect: str, id: str) -> sa.ColumnElement[bool]:
        column = CLIENTS.c[admitting]
        each = sa.func.jsonb_array_elements_text(column) if dialect == "postgresql" else sa.func.json_each(column)
        by_name = each.table_valued("value")
        listed = sa.exists(sa.select(sa.literal(1)).select_from(by_name).where(by_name.c.value == id).correlate(CLIENTS))
        return sa.or_(listed, CLIENTS.c.registration_buyer_id == id) if kind is PartyKind.BUYER else listed

    return [
        UsedBy("user", USERS.c.id, of(USERS.c.party)),
        UsedBy("user group", USER_GROUPS.c.id, of(USER_GROUPS.c.party)),
        UsedBy("address", ADDRESSES.c.id, of(ADDRESSES.c.party)),
        *([UsedBy.column("cost center", COST_CENTERS.c.id, COST_CENTERS.c.buyer_id)] if kind is PartyKind.BUYER else []),
        UsedBy(_ASSIGNED, PROFILE_ASSIGNMENTS.c.security_profile_id, of(PROFILE_ASSIGNMENTS.c.party)),
        UsedBy("API client", CLIENTS.c.id, admitted),
    ]


_ASSIGNED = "security profile assignment"
_CHARGING = "cost center assignment"
SELLER = Resource(resources.SELLER, SELLERS)
BUYER = Resource(
    resources.BUYER, BUYERS, lambda caller: _visible(BUYERS, PartyKind.BUYER, caller), uses=_uses(PartyKind.BUYER, "buyer_ids")
)
SUPPLIER = Resource(
    resources.SUPPLIER,
    SUPPLIERS,
    lambda caller: _visible(SUPPLIERS, PartyKind.SUPPLIER, caller),
    uses=_uses(PartyKind.SUPPLIER, "supplier_ids"),
)
USER = Resource(
    resources.USER,
    USERS,
    visible_users,
    managed_users,
    uses=[
        UsedBy.column("address", ADDRESSES.c.id, ADDRESSES.c.user_id),
        UsedBy.column("address assignment", ADDRESS_ASSIGNMENTS.c.address_id, ADDRESS_ASSIGNMENTS.c.user_id),
        UsedBy.column(_CHARGING, COST_CENTER_ASSIGNMENTS.c.cost_center_id, COST_CENTER_ASSIGNMENTS.c.user_id),
        # Named twice by one client, it is counted once.
        UsedBy(
            "API client", CLIENTS.c.id, lambda _, id: sa.or_(CLIENTS.c.default_user_id == id, CLIENTS.c.anonymous_user_id == id)
        ),
    ],
)
OWN_USER = Resource(resources.USER, USERS, lambda caller: USERS.c.id == caller.user_id)
"""The caller itself, which changes a few things of its own without managing users."""
CLIENT = Resource(resources.CLIENT, CLIENTS)
GROUP = Resource(
    resources.GROUP,
    USER_GROUPS,
    visible_groups,
    uses=[
        UsedBy.column("user group member", MEMBERS.c.user_id, MEMBERS.c.user_group_id),
        UsedBy.column("address assignment", ADDRESS_ASSIGNMENTS.c.address_id, ADDRESS_ASSIGNMENTS.c.user_group_id),
        UsedBy.column(_CHARGING, COST_CENTER_ASSIGNMENTS.c.cost_center_id, COST_CENTER_ASSIGNMENTS.c.user_group_id),
        UsedBy.column(_ASSIGNED, PROFILE_ASSIGNMENTS.c.security_profile_id, PROFILE_ASSIGNMENTS.c.user_group_id),
    ],
)
COST_CENTER = Resource(
    resources.COST_CENTER,
    COST_CENTERS,
    visible_cost_centers,
    uses=[
        UsedBy.column(
            _CHARGING,
            COST_CENTER_ASSIGNMENTS.c.user_id + COST_CENTER_ASSIGNMENTS.c.user_group_id,
            COST_CENTER_ASSIGNMENTS.c.cost_center_id,
        )
    ],
)
USABLE_COST_CENTER = Resource(resources.COST_CENTER, COST_CENTERS, usable_cost_centers)
"""What the caller's own orders may name."""
PROFILE = Resource(
    resources.PROFILE,
    PROFILES,
    uses=[
        UsedBy.column(
            _ASSIGNED,
            PROFILE_ASSIGNMENTS.c.party + PROFILE_ASSIGNMENTS.c.user_group_id + PROFILE_ASSIGNMENTS.c.user_id,
            PROFILE_ASSIGNMENTS.c.security_profile_id,
        )
    ],
)

MADE = {
    "CreateBuyer": BUYERS,
    "BatchCreateBuyers": BUYERS,
    "CreateSupplier": SUPPLIERS,
    "BatchCreateSuppliers": SUPPLIERS,
    "CreateUser": USERS,
    "ConfirmRegistration": USERS,
    "BatchCreateUsers": USERS,
    "CreateApiClient": CLIENTS,
    "BatchCreateApiClients": CLIENTS,
    "CreateUserGroup": USER_GROUPS,
    "BatchCreateUserGroups": USER_GROUPS,
    "CreateCostCenter": COST_CENTERS,
    "BatchCreateCostCenters": COST_CENTERS,
    "CreateSecurityProfile": PROFILES,
    "BatchCreateSecurityProfiles": PROFILES,
}
"""By the method that makes it: the table where the id in a recorded outcome leads, unless it was deleted."""
