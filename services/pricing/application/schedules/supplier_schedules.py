"""What is asked and checked before schedules of suppliers are made and changed, beside the standard methods."""

from __future__ import annotations

from collections.abc import Mapping

from libs.errors import Violations, stale
from libs.resource.contract import Guard, Items
from services.pricing.application.ports import PricingWork, SupplierProducts, Units
from services.pricing.domain.schedules.floor import check_breaks
from services.pricing.domain.schedules.schedule import Break
from services.pricing.domain.schedules.supply import MAX_PRODUCTS, check_admitted, check_unshared

Places = Mapping[int, int]
"""By quantity, which break of a request it is."""


class SupplierSchedules:
    """A supplier makes and changes schedules of its own, which price nothing below its floor."""

    def __init__(self, units: Units, suppliers: SupplierProducts) -> None:
        self._units = units
        self._suppliers = suppliers

    async def creates(self, supplier_id: str) -> Guard[PricingWork]:
        """The supplier may set prices. A new schedule prices nothing yet, so no floor is above it."""
        supplied = await self._suppliers.of(supplier_id, ())

        async def check(work: PricingWork, found: Violations, items: Items) -> None:
            check_admitted(supplied)

        return check

    def changes(self, places: Places | None) -> Guard[PricingWork]:
        """Whoever changes the prices of a supplier's schedule keeps to the floors. Without `places` no price is changed."""

        async def check(work: PricingWork, found: Violations, items: Items) -> None:
            for where, row in items:
                if places is None or not row["owner_supplier_id"]:
                    continue
                floors = await work.floors.below(row["id"], row["currency"])
                breaks = [Break(*step) for step in row["price_breaks"]]
                check_breaks(found, where, breaks, row["currency"], floors, places)

        return check

    async def changes_own(self, supplier_id: str, schedule_id: str, places: Places | None) -> Guard[PricingWork]:
        """The supplier may set prices, and the schedule prices nothing but its own products."""
        async with self._units.reading() as work:
            priced = await work.assignments.priced_by(schedule_id, MAX_PRODUCTS)
        supplied = await self._suppliers.of(supplier_id, priced)
        asked, keeps_floors = frozenset(priced), self.changes(places)

        async def check(work: PricingWork, found: Violations, items: Items) -> None:
            check_admitted(supplied)
            now = await work.assignments.priced_by(schedule_id, MAX_PRODUCTS + 1)
            if not check_unshared(schedule_id, now, supplied, asked):
                raise stale("price schedule", schedule_id, str(items[0][1]["version"]))
            await keeps_floors(work, found, items)

        return check
