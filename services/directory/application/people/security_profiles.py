"""AssignSecurityProfiles and UnassignSecurityProfiles, and what profiles must obey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.directory.application.ports import DirectoryWork, Units
from services.directory.domain.access import commands, grantable
from services.directory.domain.people.memberships import ProfileAssignment
from waybill.directory.v1 import reasons


def check_new_profiles(found: Violations, caller: Principal, profiles: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Nobody makes a profile of roles that it does not hold; each is a field of the request and its roles."""
    for where, given in profiles:
        grantable(found, f"{where}.roles", caller, given)


async def check_changed_profile(
    work: DirectoryWork, found: Violations, caller: Principal, profile: tuple[str, str, Sequence[str]]
) -> None:
    """Whoever changes the roles of a profile must hold those that it gives, and those that it is to give; the profile is a
    field of the request, an id and its roles."""
    where, id, given = profile
    old = (await work.profiles.known([id])).get(id, ())
    if list(old) != list(given):
        grantable(found, f"{where}.roles", caller, given)
        commands(found, f"{where}.id", caller, old)


@dataclass(frozen=True, slots=True)
class _Assignees:
    """What there is of all that assignments name."""

    profiles: dict[str, Sequence[str]]
    parties: set[str]
    groups: dict[str, str]
    users: set[str]


class SecurityProfileAssignments:
    """Says who has which profile."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def assign(
        self, caller: Principal, found: Violations, items: Sequence[ProfileAssignment], request: RequestKey | None
    ) -> None:
        """Adds all or none. `found` is what is wrong so far."""
        seen: set[ProfileAssignment] = set()
        for i, item in enumerate(items):
            found.require(f"assignments[{i}]", item not in seen, reasons.DUPLICATE_ITEM, "stands twice")
            seen.add(item)
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            wrong = Violations()
            wrong.also(found)
            there = await self._there(work, items)
            for i, item in enumerate(items):
                _check(wrong, f"assignments[{i}]", caller, item, there)
            wrong.raise_if_any()
            await work.profiles.assign(items, now)

        await self._units.retrying(do)

    async def unassign(self, found: Violations, items: Sequence[ProfileAssignment], request: RequestKey | None) -> None:
        """Ends those that stand. It gives nobody anything, so it needs no role of the profiles."""
        found.raise_if_any()
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is None:
                await work.profiles.unassign(items, now)

        await self._units.retrying(do)

    async def _there(self, work: DirectoryWork, items: Sequence[ProfileAssignment]) -> _Assignees:
        """In as many statements as there are kinds of things."""
        return _Assignees(
            profiles=await work.profiles.known({item.profile_id for item in items}),
            parties=await work.parties.existing({item.party for item in items} - {""}),
            groups=await work.groups.known({item.group_id for item in items} - {""}),
            users=set(await work.users.known({item.user_id for item in items} - {""})),
        )


def _check(found: Violations, where: str, caller: Principal, item: ProfileAssignment, there: _Assignees) -> None:
    given = there.profiles.get(item.profile_id)
    known = given is not None or not item.profile_id
    found.require(f"{where}.security_profile_id", known, reasons.SECURITY_PROFILE_NOT_FOUND, "there is no such profile")
    commands(found, f"{where}.security_profile_id", caller, given or ())
    for field, id, ids, reason in (
        ("party", item.party, there.parties, reasons.PARTY_NOT_FOUND),
        ("user_group_id", item.group_id, there.groups.keys(), reasons.USER_GROUP_NOT_FOUND),
        ("user_id", item.user_id, there.users, reasons.USER_NOT_FOUND),
    ):
        found.require(f"{where}.{field}", not id or id in ids, reason, "it does not exist")
