"""AssignPriceSchedules and UnassignPriceSchedules: all or none, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence

from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.pricing.application.ports import PricingWork, Units
from services.pricing.domain.schedules.assignment import FIELD, Assignment, Key, check_keys, check_schedules


class AssignPriceSchedules:
    """Says which schedules price which products. Existence of products and buyers is other services' to know."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def assign(self, request: RequestKey | None, assignments: Sequence[Assignment]) -> None:
        """Upserts; raises every violation at once."""
        found = Violations()
        check_keys(found, [item.key for item in assignments])
        for i, item in enumerate(assignments):
            found.check_id(f"{FIELD}[{i}].price_schedule_id", item.schedule_id)
        found.raise_if_any()

        async def put(work: PricingWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now) or not assignments:
                return
            known = await work.assignments.known_schedules({item.schedule_id for item in assignments})
            wrong = Violations()
            check_schedules(wrong, assignments, known)
            wrong.raise_if_any()
            await work.assignments.put(assignments, now)

        await self._units.retrying(put)

    async def unassign(self, request: RequestKey | None, keys: Sequence[Key]) -> None:
        """Ends them; one that does not stand is no error."""
        found = Violations()
        check_keys(found, keys)
        found.raise_if_any()

        async def remove(work: PricingWork) -> None:
            now = self._clock.now()
            if await work.requests.claim(request, now) and keys:
                await work.assignments.remove(keys, now)

        await self._units.retrying(remove)
