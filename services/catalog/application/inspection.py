"""Inspection: the invariants of products. Nothing here belongs to an order, so there are no facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from libs.invariants import Finding, Record, Summary, summarized, unreadable
from services.catalog.application.ports import CensusStore
from services.catalog.domain.products.product import RULES, StoredProduct, broken_rules

CONTEXT = "catalog"


class Inspection:
    """Yields what is wrong with one snapshot, then a summary."""

    def __init__(self, store: CensusStore) -> None:
        self._store = store

    async def __call__(self, order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
        if order_keys:
            yield Summary(CONTEXT, 0, 0, 0)
            return
        rows, findings = 0, list[Finding]()
        async for products in self._store.take():
            rows += len(products)
            findings += [finding for product in products for finding in _judged(product)]
        for finding in findings:
            yield finding
        yield summarized(CONTEXT, rows, dict.fromkeys(RULES, rows), findings)


def _judged(product: StoredProduct) -> list[Finding]:
    """What is wrong with a product; that it cannot be judged, if need be."""
    subject = f"product {product.id}"
    try:
        return [Finding(CONTEXT, rule, subject, "does not hold") for rule in broken_rules(product)]
    except Exception as error:
        return [unreadable(CONTEXT, subject, error)]
