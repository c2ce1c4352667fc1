"""Audit: the invariants of products. Nothing here belongs to an order, so there are no facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from libs.invariants import Finding, Record, Summary, summarized
from services.catalog.application.ports import CensusStore
from services.catalog.domain.product import RULES, broken_rules

CONTEXT = "catalog"


class Audit:
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
            findings += [
                Finding(CONTEXT, rule, f"product {product['id']}", "does not hold")
                for product in products
                for rule in broken_rules(product)
            ]
        for finding in findings:
            yield finding
        yield summarized(CONTEXT, rows, dict.fromkeys(RULES, rows), findings)
