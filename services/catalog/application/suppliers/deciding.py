"""ApproveProducts and RejectProducts: all or none, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence

from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import RequestKey
from services.catalog.application.ports import CatalogWork, Units
from services.catalog.domain.catalogs.assignment import CATALOG_PRODUCT, PRODUCT_PROPOSAL, Key, Row, check_form
from services.catalog.domain.suppliers.supply import check_comments, check_proposed


class Deciding:
    """The seller decides on what suppliers propose."""

    def __init__(self, units: Units, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def approve(self, request: RequestKey | None, rows: Sequence[Row]) -> None:
        """Lets them into their catalogs; raises every violation at once."""
        found = Violations()
        check_form(found, PRODUCT_PROPOSAL, rows)
        found.raise_if_any()

        async def let_in(work: CatalogWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now) or not rows:
                return
            keys = await _proposed(work, rows)
            await work.assignments.remove(PRODUCT_PROPOSAL, keys, now, follows=True)
            await work.assignments.put(CATALOG_PRODUCT, [{"catalog_id": c, "product_id": p} for c, p in keys], now)

        await self._units.retrying(let_in)

    async def reject(self, request: RequestKey | None, rows: Sequence[Row]) -> None:
        """Says so, and why; raises every violation at once."""
        found = Violations()
        check_form(found, PRODUCT_PROPOSAL, rows)
        check_comments(found, rows)
        found.raise_if_any()

        async def mark(work: CatalogWork) -> None:
            now = self._clock.now()
            if not await work.requests.claim(request, now) or not rows:
                return
            await _proposed(work, rows)
            await work.assignments.put(PRODUCT_PROPOSAL, rows, now)

        await self._units.retrying(mark)


async def _proposed(work: CatalogWork, rows: Sequence[Row]) -> list[Key]:
    """Their keys; raises when any is not proposed. Their products are locked, so none is taken back meanwhile."""
    keys = [PRODUCT_PROPOSAL.key(row) for row in rows]
    await work.known.settled({product for _, product in keys})
    wrong = Violations()
    check_proposed(wrong, keys, await work.assignments.standing(PRODUCT_PROPOSAL, keys))
    wrong.raise_if_any()
    return keys
