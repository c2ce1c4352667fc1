"""What a supplier does with products of its own, beside the standard methods."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from libs.clock import Clock
from libs.errors import Violations
from libs.resource.contract import Guard, Items, Then
from services.catalog.application.catalogs.entering import admitted, enter
from services.catalog.application.ports import CatalogWork
from services.catalog.domain.catalogs.assignment import PRODUCT_PROPOSAL, Row
from services.catalog.domain.suppliers.supply import check_changed, check_new, settable


class Supplying:
    """A supplier sets what its permissions have, and its new products go where it is admitted."""

    def __init__(self, clock: Clock, unset: Mapping[str, object]) -> None:
        """`unset` is what a product has where nobody sets anything."""
        self._clock = clock
        self._unset = unset

    def creates(self, supplier_id: str) -> Guard[CatalogWork]:
        """New products have only what the supplier may set."""

        async def check(work: CatalogWork, found: Violations, items: Items) -> None:
            check_new(found, items, settable(await admitted(work, supplier_id)), self._unset)

        return check

    def places(self, supplier_id: str) -> Then[CatalogWork]:
        """New products go into the catalogs that take them and admit the supplier: proposed, where that needs approval."""

        async def place(work: CatalogWork, rows: list[dict[str, object]]) -> None:
            permissions = await work.permissions.of(supplier_id)
            taking = set(await work.known.taking_products())
            pairs: list[Row] = [
                {"catalog_id": permission.catalog_id, "product_id": str(row["id"])}
                for permission in permissions
                if permission.catalog_id in taking
                for row in rows
            ]
            if pairs:
                await enter(work, pairs, permissions, self._clock.now(), follows=True)

        return place

    def changes(self, supplier_id: str, paths: Collection[str]) -> Guard[CatalogWork]:
        """Fields that are changed are the supplier's to set."""

        async def check(work: CatalogWork, found: Violations, items: Items) -> None:
            may = settable(await admitted(work, supplier_id))
            for where, _ in items:
                check_changed(found, where, paths, may)

        return check

    def ends_proposals(self) -> Then[CatalogWork]:
        """Products that have got another owner are not proposed any more."""

        async def end(work: CatalogWork, rows: list[dict[str, object]]) -> None:
            for row in rows:
                await work.assignments.remove_all(PRODUCT_PROPOSAL, "product_id", str(row["id"]), self._clock.now())

        return end
