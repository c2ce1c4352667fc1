"""Sourcing: candidates -> eligible -> rank -> assign -> group.

Pure; the caller holds the stock locked or does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.fulfillment.domain.sourcing.assign import assign, demand, uncounted
from services.fulfillment.domain.sourcing.candidates import candidates, eligible, may_serve
from services.fulfillment.domain.sourcing.model import Assignment, Line, Outcome, Problem, Ranking, Stock
from services.fulfillment.domain.sourcing.rank import rank
from waybill.fulfillment.v1 import reasons


def source(ranking: Ranking, lines: Sequence[Line], stocks: Sequence[Stock]) -> Outcome:
    """Decides where every unit comes from. A line that cannot be sourced whole is a problem."""
    counted = [line for line in lines if line.track_inventory]
    found = eligible(counted, candidates(counted, stocks))
    taken = assign(counted, rank(ranking, counted, found))
    missing = _missing(counted, taken)
    problems: tuple[Problem, ...] = ()
    if missing:
        contended = _contended(ranking, counted, stocks)
        known = {s.id for s in stocks}
        problems = tuple(
            _problem(line, missing[line.line_item_id], line.line_item_id in contended, known)
            for line in counted
            if line.line_item_id in missing
        )
    return Outcome(group(lines, taken), problems)


def group(lines: Iterable[Line], taken: dict[str, tuple[Assignment, ...]]) -> tuple[Assignment, ...]:
    """All assignments in the order of the lines; lines whose stock is not counted go to their default
    supplier.
    """
    ordered: list[Assignment] = []
    for line in lines:
        ordered.extend(taken[line.line_item_id] if line.track_inventory else (uncounted(line),))
    return tuple(ordered)


def follow(lines: Sequence[Line], plan: Sequence[Assignment], stocks: Sequence[Stock]) -> frozenset[str]:
    """Ids of the lines for which the plan no longer holds, given the stock that it names.

    Empty: it holds as it is.
    """
    by_line = {line.line_item_id: line for line in lines}
    by_id = {s.id: s for s in stocks}
    broken: set[str] = set()
    placed: dict[str, int] = {}
    for item in plan:
        line = by_line.get(item.line_item_id)
        if line is None:
            broken.add(item.line_item_id)
            continue
        placed[line.line_item_id] = placed.get(line.line_item_id, 0) + item.quantity
        if not _still_valid(line, item, by_id):
            broken.add(line.line_item_id)
    broken.update(line.line_item_id for line in lines if placed.get(line.line_item_id, 0) != line.quantity)
    bound = bind(plan, stocks)
    wanted = demand(bound)
    short = {s.key for s in stocks if not _holds(s, wanted.get(s.key, 0))}
    broken.update(item.line_item_id for item in bound if item.record_key in short)
    return frozenset(broken)


def _holds(stock: Stock, units: int) -> bool:
    """Whether so many more units may be promised of it; none always may."""
    return not units or stock.backorderable is None or units <= max(0, stock.available) + stock.backorderable


def _still_valid(line: Line, item: Assignment, by_id: dict[str, Stock]) -> bool:
    if item.quantity < 1 or item.product_id != line.product_id or item.variant_id not in ("", line.variant_id):
        return False
    if not line.track_inventory:
        return not item.record_id and item.supplier_id == line.default_supplier_id
    stock = by_id.get(item.record_id)
    return (
        stock is not None
        and stock.sku == line.sku
        and stock.supplier_id == item.supplier_id
        and stock.location_id == item.ship_from_id
        and stock.supplier_id in line.allowed_suppliers
        and may_serve(line, stock)
    )


def bind(plan: Sequence[Assignment], stocks: Sequence[Stock]) -> tuple[Assignment, ...]:
    """The plan with the keys, addresses and variants of the records that it names."""
    by_id = {s.id: s for s in stocks}
    return tuple(
        replace(item, record_key=s.key, ship_from=s.address, variant_id=s.variant_id)
        if (s := by_id.get(item.record_id))
        else item
        for item in plan
    )


def stale(lines: Sequence[Line], broken: frozenset[str]) -> tuple[Problem, ...]:
    """Problems of lines that could be sourced, but no longer as shipping was estimated for."""
    named = [line.line_item_id for line in lines if line.line_item_id in broken] or sorted(broken)
    return tuple(
        Problem(
            line_id, reasons.SHIP_ESTIMATE_STALE, "The stock that shipping was estimated for is gone; estimate shipping again."
        )
        for line_id in named
    )


def _missing(lines: Sequence[Line], taken: dict[str, tuple[Assignment, ...]]) -> dict[str, int]:
    short = {}
    for line in lines:
        open_units = line.quantity - sum(item.quantity for item in taken[line.line_item_id])
        if open_units:
            short[line.line_item_id] = open_units
    return short


def _contended(ranking: Ranking, lines: Sequence[Line], stocks: Sequence[Stock]) -> set[str]:
    """Lines that could be sourced whole if nothing were reserved by attempts that are not decided yet."""
    if not any(s.reserved for s in stocks):
        return set()
    free = [replace(s, reserved=0) for s in stocks]
    taken = assign(lines, rank(ranking, lines, eligible(lines, candidates(lines, free))))
    return {line.line_item_id for line in lines} - set(_missing(lines, taken))


def _problem(line: Line, missing: int, contended: bool, known: set[str]) -> Problem:
    if line.inventory_record_id and line.inventory_record_id not in known:
        return Problem(
            line.line_item_id,
            reasons.INVENTORY_RECORD_NOT_FOUND,
            f"There is no inventory record {line.inventory_record_id} of {_named(line)}.",
            missing,
        )
    where = f" at location {line.pickup_location_id}" if line.pickup_location_id else ""
    return Problem(
        line.line_item_id,
        reasons.INSUFFICIENT_INVENTORY,
        f"{missing} of {line.quantity} units of {_named(line)} are not available{where}.",
        missing,
        contended,
    )


def _named(line: Line) -> str:
    of = f"variant {line.variant_id} of " if line.variant_id else ""
    return f"{of}product {line.product_id}"
