"""Inspection: the invariants of the shipping set-up. Nothing here belongs to an order, so there are no facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from libs.invariants import Finding, Record, Summary, summarized
from services.shipping.application.ports import CensusStore
from services.shipping.domain.rates import misordered

CONTEXT = "shipping"


class Inspection:
    """Yields what is wrong with one snapshot, then a summary."""

    def __init__(self, store: CensusStore) -> None:
        self._store = store

    async def __call__(self, order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
        if order_keys:
            yield Summary(CONTEXT, 0, 0, 0)
            return
        census = await self._store.take()
        findings = [
            Finding(CONTEXT, "reference_exists", f"{kind} {id}", f"refers to {reference}, which does not exist")
            for kind, id, reference in census.dangling
        ]
        for id, bounds in census.weight_bounds.items():
            wrong = [] if bounds is None else misordered(bounds)
            if wrong or not bounds:
                without = "has no rows" if bounds == [] else "its rows are no rates"
                detail = f"rows {wrong} do not ascend" if wrong else without
                findings.append(Finding(CONTEXT, "rate_rows_ascend", f"rate table {id}", detail))
        for finding in findings:
            yield finding
        rows = sum(census.rows.values())
        looked_at = {"reference_exists": rows, "rate_rows_ascend": len(census.weight_bounds)}
        yield summarized(CONTEXT, rows, looked_at, findings)
