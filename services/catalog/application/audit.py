"""Audit: the invariants of products. Nothing here belongs to an order, so there are no facts."""

from __future__ import annotations

from collections.abc import AsyncIterator

from libs.audit import Finding, Record, Summary
from services.catalog.application.ports import CensusStore
from services.catalog.domain.product import broken_rules

CONTEXT = "catalog"
RULES = 3


class Audit:
    """Yields what is wrong with one snapshot, then a summary."""

    def __init__(self, store: CensusStore) -> None:
        self._store = store

    async def __call__(self) -> AsyncIterator[Record]:
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
        yield Summary(CONTEXT, RULES, rows, len(findings))
