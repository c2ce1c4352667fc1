"""Get, list and update shipments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import invalid, missing, precondition, stale
from libs.idempotency.key import RequestKey
from libs.query.request import Page, PageRequest
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.refusals import refusal
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.domain.shipments.actions.ship import Loading
from services.fulfillment.domain.shipments.shipment import Shipment
from services.fulfillment.domain.stock.ledger import summed_by_record
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from services.fulfillment.domain.visibility import Scope, may_act_for, seen, shipments
from waybill.fulfillment.v1 import reasons

RESOURCE = "shipment"


ShipmentEdit = Callable[[Shipment], Shipment]
"""Puts the caller's values into a shipment's header; raises when its xp becomes too large."""


class Shipments:
    """The use cases."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], reporting: Reporting, clock: Clock) -> None:
        self._units = units
        self._reporting = reporting
        self._clock = clock

    async def get(self, caller: Principal, id: str) -> Shipment:
        """One that the caller may see, with the items that the caller may see."""
        scope = shipments(caller)
        async with self._units.reading(snapshot=True) as work:
            found = await work.shipments.get(id)
        if found is None or found.delete_time is not None or not _holds(scope, found):
            raise missing(RESOURCE, id)
        return seen(found, scope)

    async def page(self, caller: Principal, page: PageRequest, order_id: str) -> Page[Shipment]:
        """Those that the caller may see."""
        scope = shipments(caller)
        async with self._units.reading(snapshot=True) as work:
            return await work.lists.shipments(scope, page, order_id)

    async def update(self, caller: Principal, id: str, etag: str, edit: ShipmentEdit, request: RequestKey | None) -> Shipment:
        """Changes the header; a ship time, set once, ships the units. Raises with all violations."""

        async def decide(work: FulfillmentWork) -> tuple[Shipment, Sequence[SupplierOrder], bool]:
            now = self._clock.now()
            replayed = await work.requests.claim(request, now)
            known = await work.shipments.get(id, lock=True)
            if known is None or not may_act_for(caller, known.supplier_id):
                raise missing(RESOURCE, id)
            if replayed is not None:
                return known, (), False
            if known.delete_time is not None:
                raise missing(RESOURCE, id)
            if etag and etag != str(known.version):
                raise stale(RESOURCE, id, str(known.version))
            return *await self._edit(work, known, edit, now), True

        after, orders, changed = await self._units.retrying(decide)
        if changed:
            await self._reporting.report(orders, [after])
        return after

    async def _edit(
        self, work: FulfillmentWork, known: Shipment, edit: ShipmentEdit, now: datetime
    ) -> tuple[Shipment, Sequence[SupplierOrder]]:
        after = replace(edit(known), version=known.version + 1, update_time=now)
        if known.void_time is not None and after.ship_time is not None:
            raise precondition(reasons.SHIPMENT_VOID, f"All that shipment {known.id} holds was canceled.", shipment=known.id)
        moved = known.ship_time is not None and (after.ship_to, after.ship_from_id) != (known.ship_to, known.ship_from_id)
        if moved or (known.ship_time is not None and after.ship_time != known.ship_time):
            raise precondition(reasons.SHIPMENT_ALREADY_SHIPPED, f"Shipment {known.id} has left already.", shipment=known.id)
        check_delivery(after.ship_time, after.delivery_time, "shipment.delivery_time")
        if after.currency not in ("", known.currency):
            await self._check_cost(work, after)
        orders: Sequence[SupplierOrder] = ()
        if known.ship_time is None and after.ship_time is not None:
            orders = await self._leave(work, known, after.ship_time, now)
        await work.shipments.save(after, now)
        return after, orders

    async def _check_cost(self, work: FulfillmentWork, shipment: Shipment) -> None:
        loading = Loading(await work.orders.of_keys({i.supplier_order_key for i in shipment.items}))
        loading.check_cost(shipment.items, shipment.currency, "shipment.cost")
        if loading.refusals:
            raise refusal(loading.refusals)

    async def _leave(
        self, work: FulfillmentWork, shipment: Shipment, ship_time: datetime, now: datetime
    ) -> Sequence[SupplierOrder]:
        before = await work.orders.of_keys({i.supplier_order_key for i in shipment.items}, lock=True)
        loading = Loading(before)
        loading.check_leaving(shipment.items, "shipment.ship_time")
        loading.check_time(shipment.items, ship_time, "shipment.ship_time")
        if loading.refusals:
            raise refusal(loading.refusals)
        movements = loading.leave(shipment.items, shipment.id)
        sums = summed_by_record(movements)
        if sums:
            fields = {shipment.id: "shipment.ship_time"}
            loading.check_stock(movements, await work.stock.of_keys(sums, lock=True), fields)
        if loading.refusals:
            raise refusal(loading.refusals)
        after = loading.touched_orders(now)
        await work.orders.save_units({o.key: o for o in before}, after, now)
        await work.stock.book(movements, sums, now)
        return after


def check_delivery(ship_time: datetime | None, delivery_time: datetime | None, field: str) -> None:
    """Raises unless a delivery comes after its departure."""
    if delivery_time is not None and (ship_time is None or delivery_time < ship_time):
        raise invalid(field, reasons.VALUE_OUT_OF_RANGE, "a shipment is delivered after it has left")


def _holds(scope: Scope, shipment: Shipment) -> bool:
    if not scope.of_supplier(shipment.supplier_id):
        return False
    if scope.buyer_id is not None and shipment.buyer_id != scope.buyer_id:
        return False
    return scope.user_id is None or any(scope.holds(item) for item in shipment.items)
