"""Stock, order by order: what the ledger says was held, promised and sent is what attempts, allocations and shipments say."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.db import Tx
from libs.db.invariants import readable, why
from libs.invariants import Finding, RuleResult
from services.fulfillment.adapters.db.documents import assignments_in, draws_in, lines_in, selections_in
from services.fulfillment.adapters.db.tables import (
    allocations,
    inventory_records,
    reservations,
    shipment_items,
    shipments,
    stock_movements,
    supplier_order_lines,
    supplier_orders,
)

PAGE = 500
_R, _M, _V, _A = inventory_records.c, stock_movements.c, reservations.c, allocations.c
_O, _L, _S, _I = supplier_orders.c, supplier_order_lines.c, shipments.c, shipment_items.c
_ENDED = ("CANCELED", "COMPLETED")
Units = Counter[tuple[Any, ...]]


@dataclass(slots=True)
class Books:
    """One buyer order's rows."""

    attempts: list[Any] = field(default_factory=list)
    movements: list[Any] = field(default_factory=list)
    """Summed by attempt, line, record, shipment and kind."""
    allocations: list[Any] = field(default_factory=list)
    orders: list[Any] = field(default_factory=list)
    """Supplier orders."""
    lines: list[Any] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    gone: set[UUID] = field(default_factory=set)
    """Records that were assigned to a released attempt and are not there any more: deleted, with their ledger."""


async def book_rules(tx: Tx, context: str) -> AsyncIterator[Finding | RuleResult]:
    """Findings of every rule, and after them what the rules looked at. A page of orders at a time."""
    looked_at, broken, last = 0, Counter[str](), ""

    async def read(keys: Sequence[str]) -> Sequence[tuple[str, Books]]:
        return list((await _load(tx, keys)).items())

    while keys := await _page(tx, last):
        async for found in readable(context, "order", keys, read):
            if isinstance(found, Finding):
                yield found
                continue
            key, books = found
            for name, rule in RULES.items():
                if wrong := "; ".join(_judged(rule, books)):
                    broken[name] += 1
                    yield Finding(context, name, key, wrong)
        looked_at, last = looked_at + len(keys), keys[-1]
    for name in RULES:
        yield RuleResult(name, looked_at, broken[name])


def _judged(rule: Callable[[Books], Iterator[str]], books: Books) -> Iterator[str]:
    """What a rule says of an order; one that cannot be worked out is broken."""
    try:
        yield from rule(books)
    except Exception as error:
        yield f"cannot be worked out: {why(error)}"


async def _page(tx: Tx, last: str) -> list[str]:
    def keys(table: sa.Table) -> Any:
        c = table.c.order_key
        return sa.select(c).where(c > last).group_by(c).order_by(c).limit(PAGE).subquery().select()

    found = sa.union(keys(reservations), keys(supplier_orders), keys(stock_movements)).subquery()
    return [row.order_key for row in await tx.execute(sa.select(found.c.order_key).order_by(found.c.order_key).limit(PAGE))]


async def _load(tx: Tx, keys: Sequence[str]) -> Mapping[str, Books]:
    by = (_M.order_key, _M.attempt, _M.line_item_id, _M.record_key, _M.shipment_id, _M.kind)
    sums = [sa.func.sum(column).label(column.name) for column in (_M.on_hand, _M.reserved, _M.allocated)]
    its = _O.order_key.in_(keys)
    wanted = {
        "attempts": sa.select(_V.order_key, _V.attempt, _V.kind, _V.state, _V.lines, _V.assignments).where(
            _V.order_key.in_(keys)
        ),
        "movements": sa.select(*by, *sums).where(_M.order_key.in_(keys)).group_by(*by),
        "allocations": sa.select(_O.order_key, _O.status, _L.shippable, allocations, _R.variant_id)
        .join_from(allocations, supplier_orders, _O.key == _A.supplier_order_key)
        .join(supplier_order_lines, sa.and_(_L.supplier_order_key == _A.supplier_order_key, _L.line_item_id == _A.line_item_id))
        .outerjoin(inventory_records, _R.key == _A.record_key)
        .where(its),
        "orders": sa.select(_O.order_key, _O.key, _O.id, _O.shipping_cost, _O.tax, _O.selections).where(its),
        "lines": sa.select(_O.order_key, *_LINE)
        .join_from(supplier_order_lines, supplier_orders, _O.key == _L.supplier_order_key)
        .where(its),
        "items": sa.select(_O.order_key, _O.status, _S.id, _S.ship_time, _S.void_time, *_ITEM)
        .join_from(shipment_items, shipments, _S.key == _I.shipment_key)
        .join(supplier_orders, _O.key == _I.supplier_order_key)
        .where(its, _I.quantity > 0),
    }
    found = {key: Books() for key in keys}
    for name, select in wanted.items():
        for row in await tx.execute(select):
            getattr(found[row.order_key], name).append(row)
    await _load_gone(tx, found.values())
    return found


async def _load_gone(tx: Tx, books: Collection[Books]) -> None:
    """Looks for the records of released attempts of which there is no movement: few, if any."""
    unbooked = [(its, _unbooked(its)) for its in books]
    wanted = sorted(set().union(*(keys for _, keys in unbooked)))
    there: set[UUID] = set()
    for start in range(0, len(wanted), PAGE):
        part = wanted[start : start + PAGE]
        there |= set((await tx.execute(sa.select(_R.key).where(_R.key.in_(part)))).scalars())
    for its, keys in unbooked:
        its.gone = keys - there


def _unbooked(books: Books) -> set[UUID]:
    booked = {m.record_key for m in books.movements}
    try:
        assigned = {a.record_key for row in books.attempts if row.state == "RELEASED" for a in assignments_in(row.assignments)}
    except Exception:  # What cannot be read is named by the rules.
        return set()
    return {key for key in assigned if key is not None} - booked


_LINE = (_L.supplier_order_key, _L.line_item_id, _L.product_id, _L.variant_id, _L.quantity, _L.tax)
_ITEM = (_I.supplier_order_key, _I.supplier_order_id, _I.line_item_id, _I.quantity, _I.draws)


def _reserved(books: Books) -> Iterator[str]:
    """What an attempt reserved is what was assigned to it; it holds that until it ends, and nothing afterwards. Of a released
    one nothing is left to compare where the record was deleted."""
    assigned, held = Units(), Units()
    for row in books.attempts:
        for a in assignments_in(row.assignments):
            if a.record_key is not None and not (row.state == "RELEASED" and a.record_key in books.gone):
                assigned[(row.attempt, a.line_item_id, a.record_key)] += a.quantity
                held[(row.attempt, a.line_item_id, a.record_key)] += a.quantity if row.state == "RESERVED" else 0
    begun, left = Units(), Units()
    for m in books.movements:
        place = (m.attempt, m.line_item_id, m.record_key)
        begun[place] += int(m.reserved) if m.kind == "RESERVE" else 0
        left[place] += int(m.reserved)
    yield from _differing(begun, assigned, "reserved", "assigned")
    yield from _differing(left, held, "still reserved", "held by the attempt")
    known = {0, *(row.attempt for row in books.attempts)}
    yield from (f"{m.kind} of attempt {m.attempt}, which there is not" for m in books.movements if m.attempt not in known)


def _promised(books: Books) -> Iterator[str]:
    """What the ledger allocated and sent is what the allocations say; what left on a shipment is what it holds."""
    open_units, gone = Units(), Units()
    for a in books.allocations:
        if a.record_key is not None:
            open_units[(a.line_item_id, a.record_key)] += a.quantity - a.shipped
            gone[(a.line_item_id, a.record_key)] += a.shipped
    allocated, sent, by_shipment = Units(), Units(), Units()
    for m in books.movements:
        allocated[(m.line_item_id, m.record_key)] += int(m.allocated)
        sent[(m.line_item_id, m.record_key)] -= int(m.on_hand)
        if m.shipment_id:
            by_shipment[(m.shipment_id, m.line_item_id, m.record_key)] -= int(m.on_hand)
    drawn = Units()
    for item in books.items:
        for draw in draws_in(item.draws) if item.ship_time is not None else ():
            if draw.record_key is not None:
                drawn[(item.id, item.line_item_id, draw.record_key)] += draw.quantity
    yield from _differing(allocated, open_units, "allocated", "open in allocations")
    yield from _differing(sent, gone, "sent", "shipped in allocations")
    yield from _differing(by_shipment, drawn, "sent", "drawn by the shipment")


def _draws(books: Books) -> Iterator[str]:
    """A shipment's units are drawn from allocations of their line, which say how many are packed and have left."""
    known: dict[UUID, Any] = {a.key: a for a in books.allocations}
    packed, shipped = Counter[UUID](), Counter[UUID]()
    for item in books.items:
        draws = draws_in(item.draws)
        if sum(d.quantity for d in draws) != item.quantity:
            yield f"shipment {item.id}: {item.quantity} units of {item.line_item_id}, drawn {sum(d.quantity for d in draws)}"
        # Units that are canceled have no allocation any more, though their parcel may still show them.
        if item.ship_time is None and (item.void_time is not None or item.status in _ENDED):
            continue
        for d in draws:
            if d.allocation_key is None:
                continue
            (packed if item.ship_time is None else shipped)[d.allocation_key] += d.quantity
            a = known.get(d.allocation_key)
            place = (item.supplier_order_key, item.line_item_id, d.record_key)
            if a is None or (a.supplier_order_key, a.line_item_id, a.record_key) != place:
                yield f"shipment {item.id}: {item.line_item_id} is drawn from an allocation of something else"
    for key, a in known.items():
        # What needs no shipment may have been delivered without one.
        left = a.shipped == shipped[key] if a.shippable else a.shipped >= shipped[key]
        if a.packed != packed[key] or not left:
            said = f"{packed[key]}/{shipped[key]} on shipments"
            yield f"line {a.line_item_id}: {a.packed}/{a.shipped} packed and shipped in its allocation, {said}"


def _demand(books: Books) -> Iterator[str]:
    """Every unit that was asked for is assigned, and is in a supplier order once the attempt is confirmed: of its product and,
    where stock is counted by variant, of its variant."""
    ordered = Units()
    for line in books.lines:
        ordered[(line.line_item_id, line.product_id)] += line.quantity
    for row in books.attempts:
        wanted, assigned = Units(), Units()
        for line in lines_in(row.lines):
            wanted[(line.line_item_id, *line.sku)] += line.quantity
        for a in assignments_in(row.assignments):
            assigned[(a.line_item_id, a.product_id, a.variant_id)] += a.quantity
        yield from _differing(assigned, wanted, "assigned", f"asked for by attempt {row.attempt}")
        if row.state == "CONFIRMED" and row.kind == "SUBMIT":
            asked = Units({place[:2]: units for place, units in wanted.items()})
            yield from _differing(Units({place: ordered[place] for place in asked}), asked, "in supplier orders", "asked for")
            yield from _variants(books, {line: variant for line, _, variant in wanted})


def _variants(books: Books, asked: Mapping[str, str]) -> Iterator[str]:
    """By line, the variant that stock was asked of; empty where stock is not counted by variant."""
    for line in books.lines:
        if asked.get(line.line_item_id, "") not in ("", line.variant_id):
            yield f"line {line.line_item_id} of variant {line.variant_id!r}, asked for {asked[line.line_item_id]!r}"
    for a in books.allocations:
        if a.record_key is not None and a.variant_id is not None and a.variant_id != asked.get(a.line_item_id, a.variant_id):
            yield f"line {a.line_item_id} takes stock of variant {a.variant_id!r}, asked for {asked[a.line_item_id]!r}"


def _shares(books: Books) -> Iterator[str]:
    """Freight and tax of every supplier order are those of its own selections and lines, where they are of the whole order.

    What was set by hand for an order without a selected method belongs to no selection, and is shared by other weights.
    """
    charged, made = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    ids = {o.key: o.id for o in books.orders}
    for o in books.orders:
        charged[(o.id, "shipping_cost")] += o.shipping_cost
        charged[(o.id, "tax")] += o.tax
        for selection in selections_in(o.selections):
            made[(o.id, "shipping_cost")] += selection.cost
            made[(o.id, "tax")] += selection.tax
    for line in books.lines:
        made[(ids[line.supplier_order_key], "tax")] += line.tax
    for name in ("shipping_cost", "tax"):
        mine = {id: (charged[(id, name)], made[(id, name)]) for id in ids.values()}
        if sum(c for c, _ in mine.values()) == sum(m for _, m in mine.values()):
            yield from (f"{id}: {name} {c}, its parts make {m}" for id, (c, m) in sorted(mine.items()) if c != m)


def _differing(one: Units, other: Units, here: str, there: str) -> Iterator[str]:
    for place in sorted(one.keys() | other.keys(), key=str):
        if one[place] != other[place]:
            yield f"{'/'.join(map(str, place))}: {one[place]} {here}, {other[place]} {there}"


RULES: Mapping[str, Callable[[Books], Iterator[str]]] = {
    "reserved_as_assigned": _reserved,
    "ledger_agrees_with_allocations": _promised,
    "shipment_draws_on_allocations": _draws,
    "attempt_is_of_its_lines": _demand,
    "supplier_order_charges_its_own_parts": _shares,
}
"""By name: what is wrong with one order."""
