"""Assignments of every kind: made and ended all or none, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence

from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.catalog.application.catalogs.entering import admitted, enter
from services.catalog.application.ports import CatalogWork, Units
from services.catalog.domain.catalogs.assignment import (
    CATALOG_PRODUCT,
    CATEGORY_PRODUCT,
    PRODUCT_PROPOSAL,
    SUPPLIER_PERMISSION,
    Kind,
    Row,
    check_form,
    check_named,
)
from services.catalog.domain.suppliers.supply import check_permitted


class Assigning:
    """Makes and ends assignments of one kind. Whether buyers and groups exist is another service's to know."""

    def __init__(self, units: Units, clock: Clock, kind: Kind) -> None:
        self._units = units
        self._clock = clock
        self._kind = kind

    async def assign(self, request: RequestKey | None, rows: Sequence[Row], supplier_id: str = "") -> None:
        """Upserts; raises every violation at once. A supplier assigns its own products, in catalogs that it is admitted to."""
        found = Violations()
        check_form(found, self._kind, rows)
        if self._kind is SUPPLIER_PERMISSION:
            check_permitted(found, rows)
        found.raise_if_any()

        async def put(work: CatalogWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now) or not rows:
                return
            permissions = await admitted(work, supplier_id) if supplier_id else []
            known = await work.known.named(self._kind, rows, supplier_id)
            if supplier_id:
                known = known.within({permission.catalog_id for permission in permissions})
            wrong = Violations()
            check_named(wrong, self._kind, rows, known)
            wrong.raise_if_any()
            if self._kind is CATALOG_PRODUCT:
                await enter(work, rows, permissions, now)
            else:
                await work.assignments.put(self._kind, rows, now)

        await self._units.retrying(put)

    async def unassign(self, request: RequestKey | None, rows: Sequence[Row], supplier_id: str = "") -> None:
        """Ends them; one that does not stand is no error. What leaves a catalog leaves its categories, and is not
        proposed for it any more. For a supplier, none but its own products stand anywhere."""
        found = Violations()
        check_form(found, self._kind, rows)
        found.raise_if_any()

        async def remove(work: CatalogWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now) or not rows:
                return
            keys = [self._kind.key(row) for row in rows]
            if supplier_id or self._kind is CATALOG_PRODUCT:
                there = await work.known.settled({str(row["product_id"]) for row in rows}, supplier_id)
                keys = [self._kind.key(row) for row in rows if row["product_id"] in there]
            gone = await work.assignments.remove(self._kind, keys, now)
            if self._kind is not CATALOG_PRODUCT:
                return
            await work.assignments.remove(PRODUCT_PROPOSAL, keys, now)
            if gone:
                within = await work.known.within(gone)
                await work.assignments.remove(CATEGORY_PRODUCT, within, now, follows=True)

        await self._units.retrying(remove)
