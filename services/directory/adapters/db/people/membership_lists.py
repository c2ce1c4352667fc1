"""Lists of memberships and of assignments of profiles, as far as a caller may see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from libs.auth import Principal
from libs.db import Database, Tx
from libs.errors import missing
from libs.ids import valid_id
from libs.query import Field, Listing
from libs.query.listing import Plan
from libs.query.request import Page, PageRequest
from services.directory.adapters.db.resources import GROUP, users_of_company, visible_groups
from services.directory.adapters.db.tables import MEMBERS, PROFILE_ASSIGNMENTS, USER_GROUPS, USERS
from services.directory.domain.people.memberships import Group, Membership, ProfileAssignment

_A, _G, _M = PROFILE_ASSIGNMENTS.c, USER_GROUPS.c, MEMBERS.c
_MEMBERS = Listing({"user_id": Field(_M.user_id)}, _M.user_id, default_order="user_id")
_ASSIGNMENTS = Listing(
    {
        "security_profile_id": Field(_A.security_profile_id),
        "party": Field(_A.party),
        "user_group_id": Field(_A.user_group_id),
        "user_id": Field(_A.user_id),
    },
    # The four together are unique; ids have no colon.
    _A.security_profile_id + ":" + _A.party + ":" + _A.user_group_id + ":" + _A.user_id,
    default_order="security_profile_id",
)


def _group_of(row: Any) -> Group:
    return Group(
        id=row.id,
        party=row.party,
        name=row.name,
        description=row.description,
        xp=row.xp,
        version=row.version,
        create_time=row.create_time,
        update_time=row.update_time,
    )


class SqlMembershipLists:
    """Reads memberships and assignments, each list in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def members(self, caller: Principal, group_id: str, request: PageRequest) -> Page[Membership]:
        """A page of a group's members. Raises NOT_FOUND for a group that the caller does not see."""
        plan = self._plan(_MEMBERS, caller, request, {"group": group_id})
        async with self._db.reading(snapshot=plan.counts) as tx:
            await _require(tx, "user group", group_id, USER_GROUPS, visible_groups(caller))
            page = await plan.read(tx, sa.select(MEMBERS).where(_M.user_group_id == group_id))
        return page.map(lambda row: Membership(row.user_group_id, row.user_id))

    async def groups(self, caller: Principal, user_id: str, request: PageRequest) -> Page[Group]:
        """A page of a user's groups. Raises NOT_FOUND for a user that is of no company that the caller sees."""
        plan = self._plan(GROUP.listing, caller, request, {"of": user_id})
        joined = sa.exists().where(_M.user_id == user_id, _M.user_group_id == _G.id)
        async with self._db.reading(snapshot=plan.counts) as tx:
            if user_id != caller.user_id:
                await _require(tx, "user", user_id, USERS, users_of_company(caller))
            page = await plan.read(tx, sa.select(USER_GROUPS).where(joined))
        return page.map(_group_of)

    async def group_ids(self, user_id: str) -> list[str]:
        """All groups of a user, in their order."""
        statement = sa.select(_M.user_group_id).where(_M.user_id == user_id).order_by(_M.user_group_id)
        async with self._db.reading() as tx:
            return list((await tx.execute(statement)).scalars())

    async def parties(self, ids: Collection[str]) -> list[tuple[str, str]]:
        """Groups that exist, each with its company as one text; sorted."""
        statement = sa.select(_G.id, _G.party).where(_G.id.in_([id for id in ids if valid_id(id)])).order_by(_G.id)
        async with self._db.reading() as tx:
            return [(row.id, row.party) for row in await tx.execute(statement)]

    async def assignments(self, caller: Principal, request: PageRequest) -> Page[ProfileAssignment]:
        """A page of all assignments of profiles."""
        plan = self._plan(_ASSIGNMENTS, caller, request, {})
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, sa.select(PROFILE_ASSIGNMENTS))
        return page.map(lambda row: ProfileAssignment(row.security_profile_id, row.party, row.user_group_id, row.user_id))

    def _plan(self, listing: Listing, caller: Principal, request: PageRequest, bound: Mapping[str, str]) -> Plan:
        who = {"party": caller.party_id, "user": caller.identity}
        return listing.plan(self._db.dialect, request, {**who, **bound})


async def _require(tx: Tx, kind: str, id: str, table: sa.Table, visible: sa.ColumnElement[bool] | None) -> None:
    """Raises NOT_FOUND for what is not there, or not there for the caller."""
    statement = sa.select(table.c.id).where(table.c.id == id)
    seen = statement if visible is None else statement.where(visible)
    if not valid_id(id) or (await tx.execute(seen)).first() is None:
        raise missing(kind, id)
