"""Lines that stay with the seller while the others go to their suppliers. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from services.fulfillment.domain.supplier_orders.splitting import Part, Share, partition
from services.fulfillment.domain.supplier_orders.supplier_order import ShipSelection, SupplierOrder

Divided = tuple[SupplierOrder | None, SupplierOrder | None]
"""What is kept and what is not; None for nothing."""


def divided(whole: SupplierOrder, kept: AbstractSet[str]) -> Divided:
    """A supplier order as two: the lines that are kept, under its key and number, and the rest, which is only there to be
    split. Their amounts add up to the whole's, and what ships from where is said of each as it was of the whole.
    """
    mine = [line.line_item_id in kept for line in whole.lines]
    if not any(mine):
        return None, whole
    if all(mine):
        return whole, None
    shares = partition(whole, [_part(whole, kept, of_kept) for of_kept in (True, False)])
    held, rest = (_of(whole, share) for share in shares)
    return held, rest


def _part(whole: SupplierOrder, kept: AbstractSet[str], of_kept: bool) -> Part:
    lines = [line for line in whole.lines if line.quantity and (line.line_item_id in kept) is of_kept]
    units = {line.line_item_id: line.quantity for line in lines}
    return Part(whole.supplier_id, units, {line.line_item_id: line.allocations for line in lines})


def _of(whole: SupplierOrder, share: Share) -> SupplierOrder:
    return replace(
        whole,
        lines=share.lines,
        subtotal=share.subtotal,
        discount=share.discount,
        shipping_cost=share.shipping_cost,
        tax=share.tax,
        selections=_sourced_as_before(whole, share),
    )


def _sourced_as_before(whole: SupplierOrder, share: Share) -> tuple[ShipSelection, ...]:
    """The share's selections with the suppliers that their items ship from: a partition names the owner of the part instead, and
    freight could not follow its goods when this part is split to suppliers.
    """
    lines = {line.line_item_id for line in share.lines}
    items = {s.ship_estimate_id: tuple(item for item in s.items if item.line_item_id in lines) for s in whole.selections}
    return tuple(replace(selection, items=items[selection.ship_estimate_id]) for selection in share.selections)
