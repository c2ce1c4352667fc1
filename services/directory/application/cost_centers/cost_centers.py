"""AssignCostCenters and UnassignCostCenters, and what new cost centers must obey."""

from __future__ import annotations

from collections.abc import Sequence

from libs.auth import PartyKind, Principal
from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.directory.application.ports import DirectoryWork, Units
from services.directory.domain.access import sees_party
from services.directory.domain.cost_centers.assignments import CostCenterAssignment
from waybill.directory.v1 import reasons

Assigned = Sequence[CostCenterAssignment]


def _party(buyer_id: str) -> str:
    return f"{PartyKind.BUYER.value}:{buyer_id}"


async def check_cost_centers(work: DirectoryWork, found: Violations, items: Sequence[tuple[str, str]]) -> None:
    """The buyers of new cost centers exist; each is a field of the request and a buyer."""
    known = await work.parties.existing({_party(buyer_id) for _, buyer_id in items if buyer_id})
    for where, buyer_id in items:
        there = not buyer_id or _party(buyer_id) in known
        found.require(f"{where}.buyer_id", there, reasons.PARTY_NOT_FOUND, "the buyer does not exist")


class CostCenterAssignments:
    """Says who may use which cost center."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def assign(self, caller: Principal, found: Violations, items: Assigned, request: RequestKey | None) -> None:
        """Adds all or none. `found` is what is wrong so far."""
        seen: set[CostCenterAssignment] = set()
        for i, item in enumerate(items):
            one = not (item.user_id and item.group_id)
            text = "stands beside a user; either is assigned"
            found.require(f"assignments[{i}].user_group_id", one, reasons.FIELD_INVALID, text)
            found.require(f"assignments[{i}]", item not in seen, reasons.DUPLICATE_ITEM, "stands twice")
            seen.add(item)
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            # A transaction that is done again begins with what was wrong before it.
            wrong = Violations()
            wrong.also(found)
            await self._check(work, wrong, caller, items)
            wrong.raise_if_any()
            await work.cost_centers.assign(items, now)

        await self._units.retrying(do)

    async def unassign(self, caller: Principal, found: Violations, items: Assigned, request: RequestKey | None) -> None:
        """Ends those that stand, of cost centers that the caller sees."""
        found.raise_if_any()
        now = self._clock.now()

        async def do(work: DirectoryWork) -> None:
            if await work.requests.claim(request, {}, now) is not None:
                return
            seen = await self._seen(work, caller, items)
            await work.cost_centers.unassign([item for item in items if item.cost_center_id in seen], now)

        await self._units.retrying(do)

    async def _seen(self, work: DirectoryWork, caller: Principal, items: Assigned) -> dict[str, str]:
        """Buyer by cost center, of those that the caller sees."""
        known = await work.cost_centers.known({item.cost_center_id for item in items})
        return {id: buyer for id, buyer in known.items() if sees_party(caller, PartyKind.BUYER.value, buyer)}

    async def _check(self, work: DirectoryWork, found: Violations, caller: Principal, items: Assigned) -> None:
        buyers = await self._seen(work, caller, items)
        named = [(_party(buyers[item.cost_center_id]), item.user_id) for item in items if item.cost_center_id in buyers]
        people = await work.parties.members({(party, user_id) for party, user_id in named if user_id})
        groups = await work.groups.known({item.group_id for item in items} - {""})
        for i, item in enumerate(items):
            where, buyer = f"assignments[{i}]", buyers.get(item.cost_center_id)
            if buyer is None:
                text = "there is no such cost center"
                found.require(f"{where}.cost_center_id", not item.cost_center_id, reasons.COST_CENTER_NOT_FOUND, text)
                continue
            member = not item.user_id or (_party(buyer), item.user_id) in people
            found.require(f"{where}.user_id", member, reasons.USER_NOT_FOUND, "the buyer has no such user")
            of_buyer = not item.group_id or groups.get(item.group_id) == _party(buyer)
            found.require(f"{where}.user_group_id", of_buyer, reasons.USER_GROUP_NOT_FOUND, "the buyer has no such group")
