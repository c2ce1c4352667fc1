"""AssignPromotions and UnassignPromotions: all or none, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence

from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.pricing.application.ports import PricingWork, Units
from services.pricing.domain.promotions.assignment import PromotionAssignment, check_assignments, check_promotions


class AssignPromotions:
    """Says who may use which promotions. Existence of buyers and groups is another service's to know."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def assign(self, request: RequestKey | None, assignments: Sequence[PromotionAssignment], owner: str = "") -> None:
        """Adds them; raises every violation at once. With an owner, promotions of others are not there."""
        found = Violations()
        check_assignments(found, assignments)
        found.raise_if_any()

        async def put(work: PricingWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now) or not assignments:
                return
            wrong = Violations()
            check_promotions(wrong, assignments, await work.promotions.known({one.promotion_id for one in assignments}, owner))
            wrong.raise_if_any()
            await work.promotions.assign(assignments, now)

        await self._units.retrying(put)

    async def unassign(self, request: RequestKey | None, assignments: Sequence[PromotionAssignment], owner: str = "") -> None:
        """Ends them; one that does not stand is no error. With an owner, none stand but those of its promotions."""
        found = Violations()
        check_assignments(found, assignments)
        found.raise_if_any()

        async def remove(work: PricingWork) -> None:
            now = self._clock.now()
            if await work.requests.claim(request, now) and assignments:
                await work.promotions.unassign(assignments, now, owner)

        await self._units.retrying(remove)
