"""Who is in which group, and who has which security profile, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from libs.db import Tx
from libs.ids import valid_id
from services.directory.adapters.db.pairs import Key, Pairs, kept
from services.directory.adapters.db.people import held_roles
from services.directory.adapters.db.tables import MEMBERS, PROFILE_ASSIGNMENTS, PROFILES, USER_GROUPS
from services.directory.adapters.db.tokens.revocations import SqlRevocations
from services.directory.domain.people.memberships import Membership, ProfileAssignment

_G, _M, _P, _A = USER_GROUPS.c, MEMBERS.c, PROFILES.c, PROFILE_ASSIGNMENTS.c
_MEMBERSHIPS = Pairs("user group member", MEMBERS)
_ASSIGNMENTS = Pairs("security profile assignment", PROFILE_ASSIGNMENTS)


class SqlUserGroups:
    """Groups and memberships."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def known(self, ids: Collection[str]) -> dict[str, str]:
        """Company by group id, of those that exist, locked against removal."""
        wanted = {id for id in ids if valid_id(id)}
        if not wanted:
            return {}
        rows = await self._tx.execute(kept(sa.select(_G.id, _G.party), _G.id, wanted))
        return {row.id: row.party for row in rows}

    async def standing(self, members: Collection[Membership]) -> list[Membership]:
        """Those of these memberships that stand."""
        there = await _MEMBERSHIPS.there(self._tx, [(member.group_id, member.user_id) for member in members])
        return [Membership(group_id, user_id) for group_id, user_id in there]

    async def counts(self, user_ids: Collection[str]) -> dict[str, int]:
        """By user, in how many groups it is; who is in none is left out."""
        counted = sa.select(_M.user_id, sa.func.count().label("groups")).where(_M.user_id.in_(sorted(set(user_ids))))
        rows = await self._tx.execute(counted.group_by(_M.user_id)) if user_ids else ()
        return {row.user_id: row.groups for row in rows}

    async def add(self, members: Collection[Membership], now: datetime) -> None:
        """Makes members of those who are none yet."""
        await _MEMBERSHIPS.add(self._tx, [(member.group_id, member.user_id) for member in members], now)

    async def remove(self, members: Collection[Membership], now: datetime) -> None:
        """Ends memberships that stand, and the tokens of those who are members no longer."""
        gone = await _MEMBERSHIPS.remove(self._tx, [(member.group_id, member.user_id) for member in members], now)
        await SqlRevocations(self._tx).users({user_id for _, user_id in gone}, now)

    async def leave_all(self, user_id: str, now: datetime) -> None:
        """Ends every membership of a user."""
        await _MEMBERSHIPS.remove_where(self._tx, _M.user_id == user_id, now)


class SqlSecurityProfiles:
    """Profiles and their assignments."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def known(self, ids: Collection[str]) -> dict[str, Sequence[str]]:
        """Roles by profile id, of those that exist, locked against removal."""
        wanted = {id for id in ids if valid_id(id)}
        if not wanted:
            return {}
        rows = await self._tx.execute(kept(sa.select(_P.id, _P.roles), _P.id, wanted))
        return {row.id: row.roles for row in rows}

    async def of_groups(self, ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Roles that profiles give to groups, by group id."""
        return await held_roles.of_groups(self._tx, ids)

    async def of_companies(self, parties: Collection[str]) -> dict[str, frozenset[str]]:
        """Roles that profiles give to whole companies, by company."""
        return await held_roles.of_companies(self._tx, parties)

    async def assign(self, items: Collection[ProfileAssignment], now: datetime) -> None:
        """Adds those that do not stand yet."""
        await _ASSIGNMENTS.add(self._tx, [_key(item) for item in items], now)

    async def unassign(self, items: Collection[ProfileAssignment], now: datetime) -> None:
        """Ends those that stand, and the tokens of those who have the profile no longer."""
        gone = await _ASSIGNMENTS.remove(self._tx, [_key(item) for item in items], now)
        ending = SqlRevocations(self._tx)
        await ending.companies({party for _, party, _, _ in gone} - {""}, now)
        await ending.members({group_id for _, _, group_id, _ in gone} - {""}, now)
        await ending.users({user_id for _, _, _, user_id in gone} - {""}, now)

    async def holders(self, id: str) -> list[ProfileAssignment]:
        """All assignments of a profile."""
        rows = await self._tx.execute(sa.select(PROFILE_ASSIGNMENTS).where(_A.security_profile_id == id))
        return [ProfileAssignment(row.security_profile_id, row.party, row.user_group_id, row.user_id) for row in rows]

    async def withdraw_all(self, user_id: str, now: datetime) -> None:
        """Ends every assignment to a user itself."""
        await _ASSIGNMENTS.remove_where(self._tx, _A.user_id == user_id, now)


def _key(item: ProfileAssignment) -> Key:
    return item.profile_id, item.party, item.group_id, item.user_id
