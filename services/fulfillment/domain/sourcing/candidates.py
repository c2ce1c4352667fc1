"""First stages: which stock belongs to which line, and which of it may be taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.fulfillment.domain.sourcing.model import Customer, Exclusion, Line, Sku, Stock

Candidates = Mapping[str, tuple[Stock, ...]]
"""Stock by line id."""


class GroupsUnknown(Exception):
    """Whether a record is for a customer depends on the customer's groups, which nobody has looked up."""

    def __init__(self, user_id: str) -> None:
        super().__init__(user_id)
        self.user_id = user_id


def usable(customer: Customer, stocks: Iterable[Stock]) -> list[Stock]:
    """Stock that is for the customer, open or restricted. Nothing that is decided or said afterwards depends on any other. Raises
    GroupsUnknown."""
    return [s for s in stocks if may_use(customer, s)]


def may_use(customer: Customer, stock: Stock) -> bool:
    """Whether the record is for the customer: open to all, or for its buyer or one of its groups. Raises GroupsUnknown."""
    if not stock.restricted or (customer.buyer_id and customer.buyer_id in stock.buyer_ids):
        return True
    if not stock.user_group_ids:
        return False
    if customer.groups is None:
        raise GroupsUnknown(customer.user_id)
    return not customer.groups.isdisjoint(stock.user_group_ids)


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
    """Whether the line may take from it, given that it is stock of the product at a supplier that may fulfill it."""
    return excluded_by(line, stock) is None


def excluded_by(line: Line, stock: Stock) -> Exclusion | None:
    """What keeps stock of the line's product from serving it: it has to be active, of the record and at the pick-up location that
    are asked for.
    """
    if stock.supplier_id != line.default_supplier_id and stock.supplier_id not in line.supplier_ids:
        return Exclusion.SUPPLIER_NOT_ALLOWED
    if not stock.active:
        return Exclusion.INACTIVE
    if line.inventory_record_id and stock.id != line.inventory_record_id:
        return Exclusion.OTHER_RECORD
    if line.pickup_location_id and not (stock.pickup and stock.location_id == line.pickup_location_id):
        return Exclusion.NO_PICKUP
    return None
