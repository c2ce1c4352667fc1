"""Inspection: pricing's own invariants, and what it states about orders: which attempts hold redemptions, or have taken them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from libs.invariants import Fact, Finding, Record, Summary, summarized
from services.pricing.application.ports import CensusStore, Held

CONTEXT = "pricing"
RULES: Mapping[str, str] = {
    "assigned_schedule_exists": "price_assignments",
    "price_breaks_ascend": "price_schedules",
    "cost_breaks_ascend": "cost_schedules",
    "rate_is_a_share": "tax_rates",
    "reservation_has_a_state": "redemption_reservations",
    "assigned_promotion_exists": "promotion_assignments",
}
"""What each looks at."""


class Inspection:
    """Yields what is wrong with one snapshot, the facts of reservations that were not released, then a summary."""

    def __init__(self, store: CensusStore) -> None:
        self._store = store

    async def __call__(self, order_keys: Sequence[str] = ()) -> AsyncIterator[Record]:
        if order_keys:
            for held in await self._store.reservations(order_keys):
                yield _fact(held)
            yield Summary(CONTEXT, 0, 0, 0)
            return
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
            Finding(CONTEXT, "cost_breaks_ascend", f"cost schedule {id}", "its breaks are no price breaks")
            for id in census.misordered_costs
        ]
        findings += [
            Finding(CONTEXT, "rate_is_a_share", f"tax rate {id}", "is not between 0 and 1") for id in census.rates_out_of_range
        ]
        findings += [
            Finding(CONTEXT, "reservation_has_a_state", f"order {held.order_key}", f"attempt {held.attempt} is {held.state!r}")
            for held in census.unknown_states
        ]
        findings += [
            Finding(CONTEXT, "assigned_promotion_exists", "/".join(one.parts), f"there is no {one.promotion_id!r}")
            for one in census.lost_promotions
        ]
        for finding in findings:
            yield finding
        async for held in self._store.stated():
            yield _fact(held)
        looked_at = {rule: census.rows[table] for rule, table in RULES.items()}
        yield summarized(CONTEXT, sum(census.rows.values()), looked_at, findings)


def _fact(held: Held) -> Fact:
    ended = {} if held.state == "RESERVED" else {"finished": "1"}
    values = {"attempt": str(held.attempt), "state": held.state, **ended, **held.tried}
    return Fact(CONTEXT, "attempt", str(held.order_key), values)
