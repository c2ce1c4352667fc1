"""Roles that security profiles give, each question in one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from services.directory.adapters.db.tables import MEMBERS, PROFILE_ASSIGNMENTS, PROFILES, USERS

_A, _M, _P, _U = PROFILE_ASSIGNMENTS.c, MEMBERS.c, PROFILES.c, USERS.c


def _given(holder: sa.ColumnElement[str], holders: Collection[str]) -> sa.Select[Any]:
    """(holder, profile) of assignments that name these holders themselves."""
    return sa.select(holder.label("holder"), _A.security_profile_id.label("profile")).where(holder.in_(sorted(holders)))


async def _roles(tx: Tx, given: sa.SelectBase) -> dict[str, frozenset[str]]:
    """Roles by holder."""
    found = given.subquery()
    statement = sa.select(found.c.holder, _P.roles).join(PROFILES, _P.id == found.c.profile)
    rows = await tx.execute(statement)
    return _united((row.holder, row.roles) for row in rows)


def _united(rows: Iterable[tuple[str, Collection[str]]]) -> dict[str, frozenset[str]]:
    by_holder: dict[str, frozenset[str]] = {}
    for holder, roles in rows:
        by_holder[holder] = by_holder.get(holder, frozenset()) | frozenset(roles)
    return by_holder


async def of_users(tx: Tx, ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Roles that profiles give to users, as such, by their groups and by their companies. However many groups there are,
    each profile of a user is read once."""
    if not ids:
        return {}
    profile = _A.security_profile_id.label("profile")
    by_group = (
        sa.select(_M.user_id.label("holder"), profile)
        .join_from(MEMBERS, PROFILE_ASSIGNMENTS, _A.user_group_id == _M.user_group_id)
        .where(_M.user_id.in_(sorted(ids)))
    )
    by_company = (
        sa.select(_U.id.label("holder"), profile)
        .join_from(USERS, PROFILE_ASSIGNMENTS, _A.party == _U.party)
        .where(_U.id.in_(sorted(ids)))
    )
    return await _roles(tx, sa.union(_given(_A.user_id, ids), by_group, by_company))


async def of_groups(tx: Tx, ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Roles that profiles give to groups."""
    return await _roles(tx, _given(_A.user_group_id, ids)) if ids else {}


async def of_companies(tx: Tx, parties: Collection[str]) -> dict[str, frozenset[str]]:
    """Roles that profiles give to whole companies."""
    return await _roles(tx, _given(_A.party, parties)) if parties else {}
