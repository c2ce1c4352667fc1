"""Facets beside the standard methods: they are few and differ, and the values of products follow them."""

from __future__ import annotations

from libs.errors import Violations
from libs.resource.contract import Guard, Items, Then
from services.catalog.application.ports import CatalogWork, Units
from services.catalog.domain.products.facets import check_declared, values_of_product

PART = 1_000
"""Products whose values are collected in one transaction."""


async def declares(work: CatalogWork, found: Violations, items: Items) -> None:
    """New facets have paths of their own. Nobody writes a product meanwhile, so each product is written either with the facet or
    before its values are collected."""
    standing = await work.facets.paths(alone=True)
    check_declared(found, [(where, row["id"], row["xp_path"]) for where, row in items], standing)


def redeclares() -> tuple[Guard[CatalogWork], Then[CatalogWork]]:
    """A facet that changes has a path of its own; when that is another one, its values are collected anew."""
    moved: set[str] = set()

    async def check(work: CatalogWork, found: Violations, items: Items) -> None:
        standing = await work.facets.paths(alone=True)
        moved.clear()
        moved.update(row["id"] for _, row in items if standing[row["id"]] != row["xp_path"])
        check_declared(found, [(where, row["id"], row["xp_path"]) for where, row in items], standing)

    async def restart(work: CatalogWork, rows: list[dict[str, object]]) -> None:
        for row in rows:
            if row["id"] in moved:
                await work.facets.clear(str(row["id"]))
                row["collected"] = False

    return check, restart


async def ends_facet(work: CatalogWork, found: Violations, items: Items) -> None:
    """A facet that goes takes its values with it."""
    await work.facets.paths(alone=True)
    for _, row in items:
        await work.facets.clear(row["id"])


class CollectValues:
    """Collects the values of products that were there before the facet, part by part. Products are locked against change while
    their part is written; whoever has changed one before has noted its values by the facet, too."""

    def __init__(self, units: Units) -> None:
        self._units = units

    async def once(self) -> None:
        """For all facets, until nothing is left that nobody else is at. Where all are ready nothing is begun."""
        async with self._units.reading() as work:
            waiting = not all(facet.ready for facet in await work.facets.all())
        while waiting and await self.part():
            pass

    async def part(self, facet_id: str = "") -> bool:
        """The next products of a facet, or of that one; False when there was nothing to do."""

        async def work(work: CatalogWork) -> bool:
            at = await work.facets.collecting(facet_id)
            if at is None:
                return False
            products = await work.facets.some_xp(at.to, PART)
            await work.facets.put({id: values_of_product(xp, {at.facet_id: at.xp_path}) for id, xp in products})
            last = products[-1][0] if products else at.to
            await work.facets.collected(at.facet_id, last, len(products) < PART)
            return True

        return await self._units.retrying(work)
