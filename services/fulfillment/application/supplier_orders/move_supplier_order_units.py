"""MoveSupplierOrderUnits: the seller gives units of a supplier order to another supplier, or takes them itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import missing
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork, ProductPeer
from services.fulfillment.application.refusals import refusal
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.application.sourcing.plan_sourcing import stock_of
from services.fulfillment.application.supplier_orders.supplier_orders import RESOURCE, visible
from services.fulfillment.domain.sourcing.candidates import usable
from services.fulfillment.domain.sourcing.model import Customer
from services.fulfillment.domain.sourcing.reservation import Reservation
from services.fulfillment.domain.stock.ledger import Cause, summed_by_record
from services.fulfillment.domain.supplier_orders.actions.move_units import (
    Move,
    MovedUnits,
    check_move,
    home,
    move_units,
    parting,
    placed,
)
from services.fulfillment.domain.supplier_orders.actions.new_homes import Leaving
from services.fulfillment.domain.supplier_orders.answer_time import SELLER, timed
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


@dataclass(frozen=True, slots=True)
class Moved:
    """The supplier order that units have left, and the one that they are in."""

    left: SupplierOrder
    home: SupplierOrder


class MoveSupplierOrderUnits:
    """The use case; it reports to the order service after its commit."""

    def __init__(
        self, units: UnitsOfWork[FulfillmentWork], reporting: Reporting, products: ProductPeer, clock: Clock, ids: IdSource
    ) -> None:
        self._units = units
        self._reporting = reporting
        self._products = products
        self._clock = clock
        self._ids = ids

    async def __call__(
        self, caller: Principal, id: str, wanted: Sequence[MovedUnits], target: str, request: RequestKey | None
    ) -> Moved:
        """Raises everything that stands against it at once; nothing moves then."""
        async with self._units.reading(snapshot=True) as work:
            seen = await visible(work, caller, id)
        fulfilled = await self._fulfilled(seen, wanted, target)

        async def decide(work: FulfillmentWork) -> tuple[Moved, Sequence[SupplierOrder]]:
            reserved = await work.reservations.confirmed(seen.order_key)
            if reserved is None:
                raise missing(RESOURCE, id)
            # The claim names where the units go, which is known once the order's supplier orders are locked.
            orders = await work.orders.of_orders([seen.order_key], lock=True)
            order = next(o for o in orders if o.key == seen.key)
            replayed = await work.requests.claim(request, self._clock.now(), [home(orders, order, target)])
            if replayed is not None:
                (there,) = [o for o in orders if o.id in replayed]
                return Moved(order, there), ()
            demand = {line.line_item_id: line for line in reserved.lines}
            move = Move(wanted, target, fulfilled, demand, reserved.ranking)
            return await self._move(work, order, orders, move, reserved)

        moved, changed = await self._units.retrying(decide)
        await self._reporting.report(changed)
        return moved

    async def _fulfilled(self, order: SupplierOrder, wanted: Sequence[MovedUnits], target: str) -> Collection[str]:
        named = {w.line_item_id for w in wanted}
        products = {line.product_id for line in order.lines if line.line_item_id in named}
        return await self._products.fulfilled(target, products) if products and target != SELLER else frozenset()

    async def _move(
        self, work: FulfillmentWork, order: SupplierOrder, orders: Sequence[SupplierOrder], move: Move, reserved: Reservation
    ) -> tuple[Moved, Sequence[SupplierOrder]]:
        now = self._clock.now()
        refused = check_move(order, move)
        lines = [move.demand[w.line_item_id] for w in move.wanted if w.line_item_id in move.demand]
        # By hand, what is kept for groups stays for them: only what is open to all, or for the buyer, is taken.
        stocks = usable(Customer(order.buyer_id), await stock_of(work, lines, lock=True))
        kept, units = (order, order) if refused else parting(order, move)
        leaving = Leaving(order, units, orders, stocks, Cause(order.order_key), reserved.order_xp, reserved.costs)
        found, short = placed(move, leaving)
        if refused or short:
            raise refusal([*refused, *short])
        left, homes = move_units(kept, leaving, found, self._ids.key, now)
        homes = timed(homes, reserved.accept_within, now)
        await work.stock.book(homes.movements, summed_by_record(homes.movements), now)
        await work.orders.replace([left, *homes.changed], now)
        await work.orders.insert(homes.created, now)
        (there,) = (*homes.changed, *homes.created)
        return Moved(left, there), [left, there]
