"""Looks for references to nothing, by SQL alone: the directory may be large."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from libs.db import Database
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
    SIGNING_KEYS,
    SUPPLIERS,
    USER_GROUPS,
    USERS,
)
from services.directory.application.ports import Census

_TABLES = (
    *(SELLERS, BUYERS, SUPPLIERS, USERS, CLIENTS, ADDRESSES, ADDRESS_ASSIGNMENTS),
    *(USER_GROUPS, MEMBERS, PROFILES, PROFILE_ASSIGNMENTS, COST_CENTERS, COST_CENTER_ASSIGNMENTS),
)


def _no_party(party: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    kinds = (("SELLER:", SELLERS), ("BUYER:", BUYERS), ("SUPPLIER:", SUPPLIERS))
    return sa.and_(*(~sa.exists().where(sa.literal(kind) + table.c.id == party) for kind, table in kinds))


def _no_member(party: sa.ColumnElement[str], user: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return sa.and_(user != "", ~sa.exists().where(USERS.c.id == user, USERS.c.party == party))


@cache
def _orphans() -> Sequence[tuple[str, sa.Select[Any]]]:
    """By rule: statements that yield (subject, what it refers to)."""
    u, c, a, aa = USERS.c, CLIENTS.c, ADDRESSES.c, ADDRESS_ASSIGNMENTS.c
    no_user = sa.and_(c.default_user_id != "", ~sa.exists().where(u.id == c.default_user_id))
    no_visitor = sa.and_(
        c.anonymous_user_id != "", ~sa.exists().where(u.id == c.anonymous_user_id, u.party.startswith("BUYER:", autoescape=True))
    )
    b = BUYERS.c
    no_buyer = sa.and_(c.registration_buyer_id != "", ~sa.exists().where(b.id == c.registration_buyer_id))
    no_address = ~sa.exists().where(a.party == aa.party, a.id == aa.address_id)
    assignment = aa.address_id + sa.literal(" for ") + aa.user_id + aa.user_group_id
    g = USER_GROUPS.c
    no_group = sa.and_(aa.user_group_id != "", ~sa.exists().where(g.id == aa.user_group_id, g.party == aa.party))
    return [
        ("user_has_company", sa.select(u.id, u.party).where(_no_party(u.party))),
        ("client_has_default_user", sa.select(c.id, c.default_user_id).where(no_user)),
        ("client_has_anonymous_user", sa.select(c.id, c.anonymous_user_id).where(no_visitor)),
        ("client_has_registration_buyer", sa.select(c.id, c.registration_buyer_id).where(no_buyer)),
        ("address_has_company", sa.select(a.id, a.party).where(_no_party(a.party))),
        ("assignment_has_address", sa.select(assignment, aa.address_id).where(no_address)),
        ("assignment_has_user", sa.select(assignment, aa.user_id).where(_no_member(aa.party, aa.user_id))),
        ("assignment_has_group", sa.select(assignment, aa.user_group_id).where(no_group)),
        *_of_groups(),
        *_of_profiles(),
        *_of_cost_centers(),
    ]


def _of_groups() -> list[tuple[str, sa.Select[Any]]]:
    g, m, u = USER_GROUPS.c, MEMBERS.c, USERS.c
    membership = m.user_id + sa.literal(" in ") + m.user_group_id
    no_group = ~sa.exists().where(g.id == m.user_group_id)
    # Of a group that is gone nobody can say whose users may be in it.
    no_user = ~sa.exists().where(
        u.id == m.user_id, sa.or_(no_group, sa.exists().where(g.id == m.user_group_id, g.party == u.party))
    )
    return [
        ("group_has_company", sa.select(g.id, g.party).where(_no_party(g.party))),
        ("member_has_group", sa.select(membership, m.user_group_id).where(no_group)),
        ("member_has_user", sa.select(membership, m.user_id).where(no_user)),
    ]


def _of_profiles() -> list[tuple[str, sa.Select[Any]]]:
    a = PROFILE_ASSIGNMENTS.c
    assignee = a.party + a.user_group_id + a.user_id
    assignment = a.security_profile_id + sa.literal(" for ") + assignee
    no_profile = ~sa.exists().where(PROFILES.c.id == a.security_profile_id)
    company = sa.and_(a.party != "", a.user_group_id == "", a.user_id == "", ~_no_party(a.party))
    group = sa.and_(a.party == "", a.user_group_id != "", a.user_id == "", sa.exists().where(USER_GROUPS.c.id == a.user_group_id))
    user = sa.and_(a.party == "", a.user_group_id == "", a.user_id != "", sa.exists().where(USERS.c.id == a.user_id))
    return [
        ("profile_assignment_has_profile", sa.select(assignment, a.security_profile_id).where(no_profile)),
        ("profile_assignment_has_one_assignee", sa.select(assignment, assignee).where(~sa.or_(company, group, user))),
    ]


def _of_cost_centers() -> list[tuple[str, sa.Select[Any]]]:
    c, a, g = COST_CENTERS.c, COST_CENTER_ASSIGNMENTS.c, USER_GROUPS.c
    assignment = a.cost_center_id + sa.literal(" for ") + a.user_id + a.user_group_id
    # Of a cost center that is gone nobody can say whose users may use it.
    same, party = c.id == a.cost_center_id, sa.literal("BUYER:") + c.buyer_id
    known = sa.exists().where(same)
    no_user = sa.and_(known, a.user_id != "", ~sa.exists().where(same, USERS.c.id == a.user_id, USERS.c.party == party))
    no_group = sa.and_(known, a.user_group_id != "", ~sa.exists().where(same, g.id == a.user_group_id, g.party == party))
    both = sa.and_(a.user_id != "", a.user_group_id != "")
    return [
        ("cost_center_has_buyer", sa.select(c.id, c.buyer_id).where(~sa.exists().where(BUYERS.c.id == c.buyer_id))),
        ("cost_center_assignment_has_cost_center", sa.select(assignment, a.cost_center_id).where(~known)),
        (
            "cost_center_assignment_has_assignee",
            sa.select(assignment, a.user_id + a.user_group_id).where(no_user | no_group | both),
        ),
    ]


class CensusReader:
    """Takes the census in one snapshot."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def take(self) -> Census:
        """Counts, and references to nothing."""
        counts = [sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in _TABLES]
        # One that another is to follow has a time at which it retires; who follows has none.
        k = SIGNING_KEYS.c
        holds = (k.retire_time.is_(None), k.withdraw_time.is_(None), k.private_pem != "", k.modulus != "")
        live = sa.select(sa.func.count()).where(*holds).scalar_subquery()
        orphans: list[tuple[str, str, str]] = []
        async with self._db.reading(snapshot=True) as tx:
            counted: Sequence[Any] = (await tx.execute(sa.select(*counts, live))).one()
            for rule, statement in _orphans():
                rows: Sequence[Any] = (await tx.execute(statement)).all()
                orphans += [(rule, row[0], row[1]) for row in rows]
        by_table = {table.name: int(number) for table, number in zip(_TABLES, counted[:-1], strict=True)}
        return Census(counted[0], counted[-1], by_table, orphans)
