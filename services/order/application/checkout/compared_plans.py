"""What each plan that fulfillment makes for an order would cost to ship: one call of each service for all plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.order.application.peers import Peers, Wanted
from services.order.domain.building.products import Article
from services.order.domain.checkout.freight import Plan, Shippable
from services.order.domain.model import Line, Order, Problem
from waybill.order.v1 import reasons


@dataclass(frozen=True, slots=True)
class Compared:
    """Where every unit would come from, in each way that is compared."""

    plans: tuple[Plan, ...]
    problems: Sequence[Problem] = ()
    """Why not every unit comes from somewhere: then there is one plan, and nothing is asked of shipping."""
    shipped: Sequence[Shippable] = ()
    """What each plan would be shipped by, or why it cannot be."""


class ComparedPlans:
    """Plans with their freight, and what they are made from. Nothing is stored or held."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def products(self, order: Order, lines: Sequence[Line]) -> dict[str, Article]:
        """The products as the catalog has them now: what is worked out next is worked out from these."""
        wanted = {Wanted.of(line) for line in lines}
        products = await self._peers.catalog.products(wanted, order.buyer_id, order.user.id)
        return {p.id: p.article for p in products.values()}

    async def of(self, order: Order, lines: Sequence[Line], compare: bool = False) -> Compared:
        """As the order's channel wants it: one plan, and others after it where the freight decides or they are to be
        compared. Lines that go nowhere yet are a problem of every plan, and nothing is asked of shipping.
        """
        plans, problems = await self._peers.fulfillment.plan(order, lines, compare)
        if problems:
            return Compared(plans, problems)
        missing = tuple(unaddressed(order, lines))
        if missing:
            return Compared(plans, (), [Shippable(problems=missing) for _ in plans])
        plans = await self._located(order, lines, plans)
        return Compared(plans, (), await self._peers.shipping.estimate(order, lines, plans))

    async def _located(self, order: Order, lines: Sequence[Line], plans: tuple[Plan, ...]) -> tuple[Plan, ...]:
        """The plans with the addresses of pick-up locations whose stock is not counted: no inventory record knows them."""
        picked_up = {line.id for line in lines if line.pickup_location_id}
        unplaced = {
            (a.supplier_id, a.ship_from_id) for plan in plans for a in plan if a.line_item_id in picked_up and a.ship_from is None
        }
        if not unplaced:
            return plans
        known = await self._peers.directory.locations(order.seller_id, unplaced)
        return tuple(
            tuple(replace(a, ship_from=a.ship_from or known.get((a.supplier_id, a.ship_from_id))) for a in plan) for plan in plans
        )


def unaddressed(order: Order, lines: Sequence[Line]) -> list[Problem]:
    """Lines that are to be shipped and have no address."""
    return [
        Problem(reasons.SHIPPING_ADDRESS_MISSING, "order", f"line_items[{line.id}]", "has no address to ship to")
        for line in lines
        if line.shippable_address_missing(order)
    ]
