"""Words and values of products follow what products say, in the transaction that stores it."""

from __future__ import annotations

from libs.resource.contract import Then
from services.catalog.application.ports import CatalogWork
from services.catalog.domain.products.facets import values_of_product
from services.catalog.domain.products.words import words_of_product

Rows = list[dict[str, object]]


def indexes_products(place: Then[CatalogWork]) -> Then[CatalogWork]:
    """New products are found by their words and counted by their values, besides being placed."""

    async def index(work: CatalogWork, rows: Rows) -> None:
        await place(work, rows)
        await work.words.put({str(row["id"]): words_of_product(row) for row in rows})
        if paths := await work.facets.paths():
            await work.facets.put({str(row["id"]): values_of_product(row["xp"], paths) for row in rows})

    return index


def indexes_again(then: Then[CatalogWork] | None = None, *, xp: bool = True) -> Then[CatalogWork]:
    """A product that has changed is found by what it says now, besides what else follows. With `xp`, that has changed, too."""

    async def index(work: CatalogWork, rows: Rows) -> None:
        if then is not None:
            await then(work, rows)
        for row in rows:
            await work.words.replace(str(row["id"]), words_of_product(row))
        if xp:
            paths = await work.facets.paths()
            for row in rows:
                await work.facets.replace(str(row["id"]), values_of_product(row["xp"], paths))

    return index
