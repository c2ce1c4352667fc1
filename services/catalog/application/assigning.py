"""Assignments of every kind: made and ended all or none, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence

from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.catalog.application.ports import CatalogWork, Units
from services.catalog.domain.assignment import CATALOG_PRODUCT, CATEGORY_PRODUCT, Kind, Row, check_form, check_named


class Assigning:
    """Makes and ends assignments of one kind. Whether buyers and groups exist is another service's to know."""

    def __init__(self, units: Units, clock: Clock, kind: Kind) -> None:
        self._units = units
        self._clock = clock
        self._kind = kind

    async def assign(self, request: RequestKey | None, rows: Sequence[Row]) -> None:
        """Upserts; raises every violation at once."""
        found = Violations()
        check_form(found, self._kind, rows)
        found.raise_if_any()

        async def put(work: CatalogWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now) or not rows:
                return
            known = await work.known.named(self._kind, rows)
            wrong = Violations()
            check_named(wrong, self._kind, rows, known)
            wrong.raise_if_any()
            await work.assignments.put(self._kind, rows, now)

        await self._units.retrying(put)

    async def unassign(self, request: RequestKey | None, rows: Sequence[Row]) -> None:
        """Ends them; one that does not stand is no error. What leaves a catalog leaves its categories."""
        found = Violations()
        check_form(found, self._kind, rows)
        found.raise_if_any()

        async def remove(work: CatalogWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now) or not rows:
                return
            gone = await work.assignments.remove(self._kind, [self._kind.key(row) for row in rows], now)
            if self._kind is CATALOG_PRODUCT and gone:
                within = await work.known.within(gone)
                await work.assignments.remove(CATEGORY_PRODUCT, within, now, follows=True)

        await self._units.retrying(remove)
