"""RejectSupplierOrder: the supplier says no, or nothing in time, and its units find new homes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import missing
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.customers import Customers, Groups
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.application.sourcing.plan_sourcing import stock_of
from services.fulfillment.application.supplier_orders.supplier_orders import RESOURCE, visible
from services.fulfillment.domain.sourcing.candidates import usable
from services.fulfillment.domain.sourcing.model import Customer
from services.fulfillment.domain.stock.ledger import Cause, summed_by_record
from services.fulfillment.domain.supplier_orders.actions.answer import Rejection, check_rejectable, reject
from services.fulfillment.domain.supplier_orders.answer_time import UNANSWERED, overdue, timed
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder


class RejectSupplierOrder:
    """The use case; it reports to the order service after its commit."""

    def __init__(
        self, units: UnitsOfWork[FulfillmentWork], customers: Customers, reporting: Reporting, clock: Clock, ids: IdSource
    ) -> None:
        self._units = units
        self._customers = customers
        self._reporting = reporting
        self._clock = clock
        self._ids = ids

    async def __call__(self, caller: Principal, id: str, comment: str, request: RequestKey | None) -> SupplierOrder:
        """From OPEN to REJECTED; its units find new homes. Raises SUPPLIER_ORDER_STATUS_CONFLICT."""

        async def decide(work: FulfillmentWork, groups: Groups) -> list[SupplierOrder]:
            replayed = await work.requests.claim(request, self._clock.now())
            # What is only read here is locked below, after the order's reservation.
            order = await visible(work, caller, id, lock=replayed is not None)
            if replayed is not None:
                return [order]
            return await self._reject(work, order, comment, groups)

        changed = await self._deciding(decide)
        await self._reporting.report(changed)
        return changed[0]

    async def overdue(self, key: UUID) -> bool:
        """Rejects it as the system, if its supplier has not answered in time: False when it has by now."""

        async def decide(work: FulfillmentWork, groups: Groups) -> list[SupplierOrder]:
            found = await work.orders.of_keys([key])
            return await self._reject(work, found[0], UNANSWERED, groups, late=True) if found else []

        changed = await self._deciding(decide)
        await self._reporting.report(changed)
        return bool(changed)

    async def _deciding(self, decide: Callable[[FulfillmentWork, Groups], Awaitable[list[SupplierOrder]]]) -> list[SupplierOrder]:
        return await self._customers.deciding(None, lambda groups: self._units.retrying(lambda work: decide(work, groups)))

    async def _reject(
        self, work: FulfillmentWork, seen: SupplierOrder, comment: str, groups: Groups, late: bool = False
    ) -> list[SupplierOrder]:
        """The rejected one first, then all that took its units. None when it is to be rejected for being `late`, and is not."""
        now = self._clock.now()
        reserved = await work.reservations.confirmed(seen.order_key)
        if reserved is None:
            raise missing(RESOURCE, seen.id)
        orders = await work.orders.of_orders([seen.order_key], lock=True)
        order = next(o for o in orders if o.key == seen.key)
        if late and not overdue(order, now):
            return []
        check_rejectable(order)
        demand = {line.line_item_id: line for line in reserved.lines}
        wanted = [demand[line.line_item_id] for line in order.lines if line.line_item_id in demand]
        stocks = usable(Customer(order.buyer_id, order.user_id, groups), await stock_of(work, wanted, lock=True))
        change = reject(
            Rejection(
                rejected=order,
                comment=comment,
                orders=orders,
                demand=demand,
                stocks=stocks,
                ranking=reserved.ranking,
                cause=Cause(order.order_key),
                order_xp=reserved.order_xp,
                costs=reserved.costs,
            ),
            self._ids.key,
            now,
        )
        change = timed(change, reserved.accept_within, now)
        await work.stock.book(change.movements, summed_by_record(change.movements), now)
        await work.orders.replace(change.changed, now)
        await work.orders.insert(change.created, now)
        return [*change.changed, *change.created]
