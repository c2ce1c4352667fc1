"""First stages: which stock belongs to which line, and which of it may be taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.fulfillment.domain.sourcing.model import Line, Sku, Stock

Candidates = Mapping[str, tuple[Stock, ...]]
"""Stock by line id."""


def candidates(lines: Iterable[Line], stocks: Iterable[Stock]) -> dict[str, tuple[Stock, ...]]:
    """Stock of the product, or of exactly the variant, at the suppliers that may fulfill the line."""
    by_sku: dict[Sku, list[Stock]] = {}
    for stock in stocks:
        by_sku.setdefault(stock.sku, []).append(stock)
    found: dict[str, tuple[Stock, ...]] = {}
    for line in lines:
        allowed = line.allowed_suppliers
        found[line.line_item_id] = tuple(s for s in by_sku.get(line.sku, ()) if s.supplier_id in allowed)
    return found


def eligible(lines: Sequence[Line], found: Candidates) -> dict[str, tuple[Stock, ...]]:
    """Drops what may not be taken for the line."""
    return {line.line_item_id: tuple(s for s in found[line.line_item_id] if may_serve(line, s)) for line in lines}


def may_serve(line: Line, stock: Stock) -> bool:
    """Whether the line may take from it: active, the record asked for, and the pick-up location asked for."""
    if not stock.active:
        return False
    if line.inventory_record_id and stock.id != line.inventory_record_id:
        return False
    if line.pickup_location_id:
        return stock.pickup and stock.location_id == line.pickup_location_id
    return True
