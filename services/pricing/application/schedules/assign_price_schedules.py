"""AssignPriceSchedules and UnassignPriceSchedules: all or none, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.pricing.application.ports import PricingWork, SupplierProducts, Units
from services.pricing.domain.schedules.assignment import FIELD, Assignment, Key, check_keys, check_schedules
from services.pricing.domain.schedules.floor import check_assigned
from services.pricing.domain.schedules.supply import (
    MAX_PRODUCTS,
    Supplied,
    check_admitted,
    check_defaults,
    check_owned,
    check_spread,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Assignments as somebody wants them; `supplied` is what a supplier may do, for a supplier."""

    assignments: Sequence[Assignment]
    supplied: Supplied | None = None

    @property
    def owner(self) -> str:
        """Whose schedules they may lead to; empty for anybody's."""
        return self.supplied.supplier_id if self.supplied else ""


class AssignPriceSchedules:
    """Says which schedules price which products. Existence of products and buyers is other services' to know."""

    def __init__(self, units: Units, clock: Clock, suppliers: SupplierProducts) -> None:
        self._units = units
        self._clock = clock
        self._suppliers = suppliers

    async def assign(self, request: RequestKey | None, assignments: Sequence[Assignment], supplier_id: str = "") -> None:
        """Upserts; raises every violation at once. A supplier sets the defaults of its own products, to schedules of its own."""
        found = Violations()
        check_keys(found, [item.key for item in assignments])
        for i, item in enumerate(assignments):
            found.check_id(f"{FIELD}[{i}].price_schedule_id", item.schedule_id)
        if supplier_id:
            check_defaults(found, assignments)
        found.raise_if_any()
        products = {item.key.product_id for item in assignments}
        wanted = Wanted(assignments, await self._suppliers.of(supplier_id, products) if supplier_id else None)

        async def put(work: PricingWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now) or not assignments:
                return
            await _check(work, wanted)
            await work.assignments.put(assignments, now)
            if supplier_id:
                wrong = Violations()
                schedules = {item.schedule_id for item in assignments}
                check_spread(wrong, assignments, await work.assignments.overfull(schedules, MAX_PRODUCTS))
                wrong.raise_if_any()

        await self._units.retrying(put)

    async def unassign(self, request: RequestKey | None, keys: Sequence[Key], supplier_id: str = "") -> None:
        """Ends them; one that does not stand is no error. For a supplier none stand but defaults of its own products that lead
        to its own schedules."""
        found = Violations()
        check_keys(found, keys)
        found.raise_if_any()
        ended = keys
        if supplier_id:
            owned = (await self._suppliers.of(supplier_id, {key.product_id for key in keys})).owned
            ended = [key for key in keys if not key.level and key.product_id in owned]

        async def remove(work: PricingWork) -> None:
            now = self._clock.now()
            if await work.requests.claim(request, now) and ended:
                await work.assignments.remove(ended, now, supplier_id)

        await self._units.retrying(remove)


async def _check(work: PricingWork, wanted: Wanted) -> None:
    """Raises everything that is wrong with them; their schedules are locked."""
    wrong, assignments = Violations(), wanted.assignments
    if wanted.supplied is not None:
        check_admitted(wanted.supplied)
        check_owned(wrong, assignments, wanted.supplied.owned)
    schedules = await work.assignments.schedules({item.schedule_id for item in assignments}, wanted.owner)
    check_schedules(wrong, assignments, schedules)
    held = {item.key.product_id for item in assignments if (known := schedules.get(item.schedule_id)) and known.owner}
    if held:
        check_assigned(wrong, assignments, schedules, await work.floors.of(held))
    wrong.raise_if_any()
