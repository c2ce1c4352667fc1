"""Where a sale is taxed. Decided here for every line and every parcel; pricing takes the places that it is given."""

from __future__ import annotations

from collections.abc import Sequence

from services.order.domain.checkout.worksheet import Assignment, Estimate
from services.order.domain.model import Address, Line, Order


class Places:
    """The places of taxation of one order.

    Goods are taxed where they are handed over: where they are delivered, or at the location where the buyer picks them
    up, which the sourcing plan knows. What needs no shipping is taxed at the billing address, and without one where the
    buyer has things delivered. Where there is none, none is given: it is never replaced by a place that is merely known.
    """

    def __init__(self, order: Order, lines: Sequence[Line], plan: Sequence[Assignment]) -> None:
        self._order = order
        picked_up = {line.id: line.pickup_location_id for line in lines if line.pickup_location_id}
        self._locations = {
            a.line_item_id: a.ship_from for a in plan if a.ship_from and a.ship_from_id == picked_up.get(a.line_item_id)
        }
        self._of_lines = {line.id: self._of(line) for line in lines}
        self._shipped = [line.id for line in lines if line.product.shippable]

    def _of(self, line: Line) -> Address | None:
        delivered = line.shipping_address or self._order.shipping_address
        if not line.product.shippable:
            return self._order.billing_address or delivered
        return self._locations.get(line.id) if line.pickup_location_id else delivered

    def of_line(self, line: Line) -> Address | None:
        """Where a line is taxed."""
        return self._of_lines[line.id]

    def of_estimate(self, estimate: Estimate) -> Address | None:
        """Where shipping is taxed: with what travels. All items of an estimate go to one place."""
        return next((self._of_lines[line] for line, _ in estimate.items if self._of_lines.get(line)), None)

    def of_order(self) -> Address | None:
        """Where a shipping cost of the whole order is taxed: at the order's address if anything goes there, or with the first."""
        known = [place for id in self._shipped if (place := self._of_lines[id]) is not None]
        if not known or self._order.shipping_address in known:
            return self._order.shipping_address or self._order.billing_address
        return known[0]
