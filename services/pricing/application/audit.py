"""Audit: pricing's own invariants, and what it states about orders: which attempts hold redemptions."""

from __future__ import annotations

from collections.abc import AsyncIterator

from libs.audit import Fact, Finding, Record, Summary
from services.pricing.application.ports import CensusStore

CONTEXT = "pricing"
RULES = 4


class Audit:
    """Yields what is wrong with one snapshot, the facts of reservations that are held, then a summary."""

    def __init__(self, store: CensusStore) -> None:
        self._store = store

    async def __call__(self) -> AsyncIterator[Record]:
        census = await self._store.take()
        findings = [
            Finding(CONTEXT, "assigned_schedule_exists", f"product {key.product_id}", f"there is no {schedule!r}")
            for key, schedule in census.dangling
        ]
        findings += [
            Finding(CONTEXT, "price_breaks_ascend", f"price schedule {id}", "its breaks are no price breaks")
            for id in census.misordered
        ]
        findings += [
            Finding(CONTEXT, "rate_is_a_share", f"tax rate {id}", "is not between 0 and 1")
            for id in census.rates_out_of_range
        ]
        findings += [
            Finding(CONTEXT, "reservation_has_a_state", f"order {key}", f"attempt {attempt} is {state!r}")
            for key, attempt, state in census.states
            if state != "RESERVED"
        ]
        for finding in findings:
            yield finding
        for key, attempt, state in census.states:
            if state == "RESERVED":
                yield Fact(CONTEXT, "attempt", str(key), {"attempt": str(attempt), "state": state})
        yield Summary(CONTEXT, RULES, census.rows, len(findings))
