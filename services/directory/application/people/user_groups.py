"""AddUserGroupMembers and RemoveUserGroupMembers, and what groups must obey."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services import roles
from services.directory.application.ports import DirectoryWork, Units
from services.directory.domain.access import commands, sees_party
from services.directory.domain.people.memberships import Membership
from waybill.directory.v1 import reasons

MOST_GROUPS = 20_000
"""Groups that a user may be in: services that look at what is assigned to groups name all of them in one statement."""


async def check_groups(work: DirectoryWork, found: Violations, groups: Sequence[tuple[str, str]]) -> None:
    """The companies of new groups exist; each is a field of the request and a company."""
    known = await work.parties.existing({party for _, party in groups if party})
    for where, party in groups:
        found.require(f"{where}.party", not party or party in known, reasons.PARTY_NOT_FOUND, "the company does not exist")


class UserGroupMembers:
    """Says who is in which group."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def add(self, caller: Principal, found: Violations, members: Sequence[Membership], request: RequestKey | None) -> None:
        """Adds all or none. `found` is what is wrong so far."""
        caller.require(roles.USER_GROUP_ADMIN)
        seen: set[Membership] = set()
        for i, member in enumerate(members):
            found.require(f"members[{i}]", member not in seen, reasons.DUPLICATE_ITEM, "stands twice")
            seen.add(member)
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            wrong = Violations()
            wrong.also(found)
            await self._check(work, wrong, caller, members)
            wrong.raise_if_any()
            await work.groups.add(members, now)

        await self._units.retrying(do)

    async def remove(
        self, caller: Principal, found: Violations, members: Sequence[Membership], request: RequestKey | None
    ) -> None:
        """Removes those that stand, of groups that the caller sees."""
        caller.require(roles.USER_GROUP_ADMIN)
        found.raise_if_any()
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            seen = await self._seen(work, caller, members)
            await work.groups.remove([member for member in members if member.group_id in seen], now)

        await self._units.retrying(do)

    async def _seen(self, work: DirectoryWork, caller: Principal, members: Sequence[Membership]) -> dict[str, str]:
        """Company by group, of the groups that the caller sees."""
        known = await work.groups.known({member.group_id for member in members})
        return {id: party for id, party in known.items() if sees_party(caller, *party.split(":", 1))}

    async def _crowded(self, work: DirectoryWork, members: Sequence[Membership], groups: Collection[str]) -> set[str]:
        """Users who would be in more groups than a user may be in; who is in one already is not counted twice."""
        asked = {member for member in members if member.group_id in groups}
        more = Counter(member.user_id for member in asked)
        more.subtract(member.user_id for member in await work.groups.standing(asked))
        held = await work.groups.counts(more)
        return {user_id for user_id, new in more.items() if new > 0 and held.get(user_id, 0) + new > MOST_GROUPS}

    async def _check(self, work: DirectoryWork, found: Violations, caller: Principal, members: Sequence[Membership]) -> None:
        groups = await self._seen(work, caller, members)
        people = await work.parties.members({(groups[m.group_id], m.user_id) for m in members if m.group_id in groups})
        given = await work.profiles.of_groups(groups)
        crowded = await self._crowded(work, members, groups)
        for i, member in enumerate(members):
            where, party = f"members[{i}]", groups.get(member.group_id)
            if party is None:
                known = not member.group_id
                found.require(f"{where}.user_group_id", known, reasons.USER_GROUP_NOT_FOUND, "there is no such group")
                continue
            there = not member.user_id or (party, member.user_id) in people
            found.require(f"{where}.user_id", there, reasons.USER_NOT_FOUND, "there is no such user in the company of the group")
            room, most = member.user_id not in crowded, f"a user is in at most {MOST_GROUPS:,} groups"
            found.require(f"{where}.user_id", room, reasons.TOO_MANY_ITEMS, most)
            commands(found, f"{where}.user_group_id", caller, given.get(member.group_id, frozenset()))
