"""AssignPriceSchedules and UnassignPriceSchedules: all or none, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence

from libs.clock import Clock
from libs.errors import Violations
from services.pricing.application.ports import AssignmentStore, Request, RequestStore, Transactions, Tx
from services.pricing.domain.schedules.assignment import FIELD, Assignment, Key, check_keys, check_schedules


class AssignPriceSchedules:
    """Says which schedules price which products. Existence of products and buyers is other services' to know."""

    def __init__(self, database: Transactions, assignments: AssignmentStore, requests: RequestStore, clock: Clock) -> None:
        self._db = database
        self._assignments = assignments
        self._requests = requests
        self._clock = clock

    async def assign(self, request: Request, assignments: Sequence[Assignment]) -> None:
        """Upserts; raises every violation at once."""
        found = Violations()
        check_keys(found, [item.key for item in assignments])
        for i, item in enumerate(assignments):
            found.check_id(f"{FIELD}[{i}].price_schedule_id", item.schedule_id)
        found.raise_if_any()

        async def work(tx: Tx) -> None:
            if await self._requests.claim(tx, request, {}, self._clock.now()) is not None or not assignments:
                return
            known = await self._assignments.known_schedules(tx, {item.schedule_id for item in assignments})
            wrong = Violations()
            check_schedules(wrong, assignments, known)
            wrong.raise_if_any()
            await self._assignments.put(tx, assignments)

        await self._db.retrying(work)

    async def unassign(self, request: Request, keys: Sequence[Key]) -> None:
        """Ends them; one that does not stand is no error."""
        found = Violations()
        check_keys(found, keys)
        found.raise_if_any()

        async def work(tx: Tx) -> None:
            if await self._requests.claim(tx, request, {}, self._clock.now()) is None and keys:
                await self._assignments.remove(tx, keys)

        await self._db.retrying(work)
