"""Rules of the cost side: supplier orders have the costs that their order was confirmed with, and their sums."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from libs.db.invariants import readable
from libs.invariants import Finding, RuleResult
from services.fulfillment.adapters.db.supplier_orders.order_store import SqlSupplierOrderStore
from services.fulfillment.adapters.db.tables import reservations, supplier_order_lines, supplier_orders
from services.fulfillment.domain.supplier_orders.costs import cost
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder

CONFIRMED, SUMMED = "unit_costs_are_those_confirmed", "supplier_order_cost_is_of_its_lines"
PAGE = 500
_O, _L, _V = supplier_orders.c, supplier_order_lines.c, reservations.c
_ITS_LINES = sa.exists().where(_L.supplier_order_key == _O.key, _L.unit_cost.is_not(None))
_WITH_COSTS = sa.or_(
    _O.cost.is_not(None),
    _ITS_LINES,
    sa.exists().where(_V.order_key == _O.order_key, sa.cast(_V.costs, sa.Text) != "null", _V.costs.is_not(None)),
)


async def cost_rules(tx: Tx, context: str) -> AsyncIterator[Finding | RuleResult]:
    """Looks at the orders that have any cost, a page at a time; at nothing where there is none."""
    looked_at, broken, last = 0, {CONFIRMED: 0, SUMMED: 0}, ""

    async def read(keys: Sequence[str]) -> list[tuple[Any, SupplierOrder, Mapping[str, Mapping[str, int]]]]:
        return await _of(tx, keys)

    page = sa.select(_O.order_key).where(_WITH_COSTS).group_by(_O.order_key).order_by(_O.order_key).limit(PAGE)
    while keys := (await tx.execute(page.where(_O.order_key > last))).scalars().all():
        async for found in readable(context, "order", keys, read):
            if isinstance(found, Finding):
                yield found
                continue
            looked_at += 1
            for rule, text in _wrong(*found):
                broken[rule] += 1
                yield Finding(context, rule, found[1].id, text)
        last = keys[-1]
    for rule, number in broken.items():
        yield RuleResult(rule, looked_at, number)


async def _of(tx: Tx, keys: Sequence[str]) -> list[tuple[Any, SupplierOrder, Mapping[str, Mapping[str, int]]]]:
    """Rows of supplier orders, what they are, and the costs that their order was confirmed with."""
    confirmed = sa.select(_V.order_key, _V.costs).where(_V.order_key.in_(keys), _V.state == "CONFIRMED", _V.kind == "SUBMIT")
    # Of several the lowest is the one that supplier orders were made by.
    costs = {row.order_key: row.costs or {} for row in await tx.execute(confirmed.order_by(_V.attempt.desc()))}
    rows = (await tx.execute(sa.select(supplier_orders).where(_O.order_key.in_(keys)).order_by(_O.id))).all()
    orders = await SqlSupplierOrderStore(tx, timedelta()).with_lines(rows)
    return [(row, order, costs.get(order.order_key, {})) for row, order in zip(rows, orders, strict=True)]


def _wrong(row: Any, order: SupplierOrder, costs: Mapping[str, Mapping[str, int]]) -> Iterable[tuple[str, str]]:
    for line in order.lines:
        said = costs.get(line.line_item_id, {}).get(order.supplier_id)
        if line.unit_cost != said:
            yield CONFIRMED, f"line {line.line_item_id} has a unit cost of {line.unit_cost}, confirmed was {said}"
    made = cost(order)
    if row.cost != made:
        yield SUMMED, f"cost {row.cost}, its lines make it {made}"
