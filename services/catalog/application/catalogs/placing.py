"""Beside the standard methods: new products are placed, trees stay trees, and what goes takes its assignments with it."""

from __future__ import annotations

from libs.clock import Clock
from libs.errors import Violations
from libs.resource.contract import Guard, Items, Then
from services.catalog.application.ports import CatalogWork
from services.catalog.domain.catalogs.assignment import (
    CATALOG_PRODUCT,
    CATEGORY_BUYER,
    CATEGORY_PRODUCT,
    PRODUCT_BUYER,
    PRODUCT_PROPOSAL,
    PRODUCT_SPEC,
)
from services.catalog.domain.catalogs.tree import Placed, check_tree


def places_products(clock: Clock) -> Then[CatalogWork]:
    """New products go into every catalog that takes them."""

    async def place(work: CatalogWork, rows: list[dict[str, object]]) -> None:
        catalogs = await work.known.taking_products()
        pairs = [{"catalog_id": catalog, "product_id": str(row["id"])} for catalog in catalogs for row in rows]
        if pairs:
            await work.assignments.put(CATALOG_PRODUCT, pairs, clock.now(), follows=True)

    return place


def ends_assignments_of_products(clock: Clock) -> Guard[CatalogWork]:
    """A product that goes takes its assignments, proposals, variants, words and values with it."""

    async def end(work: CatalogWork, found: Violations, items: Items) -> None:
        for _, row in items:
            await work.words.remove(row["id"])
            await work.facets.remove(row["id"])
            await work.variants.remove_all(row["id"], clock.now())
            for kind in (PRODUCT_BUYER, CATALOG_PRODUCT, CATEGORY_PRODUCT, PRODUCT_PROPOSAL, PRODUCT_SPEC):
                await work.assignments.remove_all(kind, "product_id", row["id"], clock.now())

    return end


async def keeps_trees(work: CatalogWork, found: Violations, items: Items) -> None:
    """Categories stand in trees. Whoever changes a tree locks its catalog first, so two moves together make no circle."""
    placed = [Placed(where, row["id"], row["catalog_id"], row["parent_id"]) for where, row in items]
    check_tree(found, placed, await work.known.trees({item.catalog_id for item in placed}))


def ends_assignments_of_categories(clock: Clock) -> Guard[CatalogWork]:
    """A category that goes takes its assignments with it; its catalog is locked, so that nothing is put below it meanwhile."""

    async def end(work: CatalogWork, found: Violations, items: Items) -> None:
        for _, row in items:
            await work.known.trees({row["catalog_id"]})
            for kind in (CATEGORY_BUYER, CATEGORY_PRODUCT):
                await work.assignments.remove_all(kind, "category_id", row["id"], clock.now())

    return end
