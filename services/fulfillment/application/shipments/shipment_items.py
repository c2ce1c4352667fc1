"""AddShipmentItems, RemoveShipmentItems and DeleteShipment: what is packed can be unpacked until it leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import invalid, missing, precondition, stale
from libs.idempotency.key import RequestKey
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.refusals import refusal
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.domain.shipments.actions.parcel import changed, deleted, holding, without
from services.fulfillment.domain.shipments.actions.ship import Loading, Wanted
from services.fulfillment.domain.shipments.shipment import Shipment
from services.fulfillment.domain.sourcing.model import MAX_LINES
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from services.fulfillment.domain.visibility import may_act_for
from waybill.fulfillment.v1 import reasons

RESOURCE = "shipment"
Edit = Callable[[Shipment, Loading, datetime], Shipment]
"""A change of what a shipment holds; what stands against it is a refusal of the loading."""


class ShipmentItems:
    """The use cases."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], reporting: Reporting, clock: Clock) -> None:
        self._units = units
        self._reporting = reporting
        self._clock = clock

    async def add(self, caller: Principal, id: str, etag: str, items: Sequence[Wanted], request: RequestKey | None) -> Shipment:
        """Puts more units into it, of the same supplier and buyer; raises with all violations."""

        def edit(s: Shipment, loading: Loading, now: datetime) -> Shipment:
            packed = loading.pack(items, "items", party=(s.supplier_id, s.buyer_id))
            loading.check_cost(packed, s.currency, "items")
            if len(s.items) + len(packed) > MAX_LINES:
                raise invalid("items", reasons.TOO_MANY_ITEMS, f"a shipment has at most {MAX_LINES:,} items")
            return holding(changed(s, now), (*s.items, *packed))

        return await self._change(caller, id, etag, edit, request, {w.supplier_order_id for w in items})

    async def remove(
        self, caller: Principal, id: str, etag: str, items: Sequence[Wanted], request: RequestKey | None
    ) -> Shipment:
        """Takes units out of it, not all of them; raises with all violations."""

        def edit(s: Shipment, loading: Loading, now: datetime) -> Shipment:
            rest = list(s.items)
            for w in items:
                loading.check_inside(w, rest)
                rest = without(rest, w.supplier_order_id, w.line_item_id, w.quantity)
            if not rest:
                raise invalid("items", reasons.FIELD_INVALID, "nothing would be left in the shipment: delete it")
            loading.unpack(s.items, rest)
            return holding(changed(s, now), rest)

        return await self._change(caller, id, etag, edit, request, set())

    async def delete(self, caller: Principal, id: str, etag: str, request: RequestKey | None) -> Shipment:
        """Unpacks all of it; its id stays taken."""

        def edit(s: Shipment, loading: Loading, now: datetime) -> Shipment:
            if s.void_time is None:
                loading.unpack(s.items, ())
            return deleted(s, now)

        return await self._change(caller, id, etag, edit, request, set(), void=True)

    async def _change(
        self,
        caller: Principal,
        id: str,
        etag: str,
        edit: Edit,
        request: RequestKey | None,
        order_ids: set[str],
        void: bool = False,
    ) -> Shipment:

        async def decide(work: FulfillmentWork) -> tuple[Shipment, Sequence[SupplierOrder], bool]:
            now = self._clock.now()
            replayed = await work.requests.claim(request, now)
            known = await work.shipments.get(id, lock=True)
            if known is None or not may_act_for(caller, known.supplier_id):
                raise missing(RESOURCE, id)
            if replayed is not None:
                return known, (), False
            check_packing(known, etag, void)
            ids = order_ids | {item.supplier_order_id for item in known.items}
            before = [o for o in await work.orders.of_ids(ids, lock=True) if may_act_for(caller, o.supplier_id)]
            loading = Loading(before)
            after = edit(known, loading, now)
            if loading.refusals:
                raise refusal(loading.refusals)
            orders = loading.touched_orders(now)
            await work.orders.save_units({o.key: o for o in before}, orders, now)
            await work.shipments.save_items([after], now)
            return after, orders, True

        after, orders, edited = await self._units.retrying(decide)
        if edited:
            await self._reporting.report(orders, [after])
        return after


def check_packing(s: Shipment, etag: str, void: bool = False) -> None:
    """Raises unless the shipment is still being packed; `void` allows one that is void."""
    if s.delete_time is not None:
        raise missing(RESOURCE, s.id)
    if etag and etag != str(s.version):
        raise stale(RESOURCE, s.id, str(s.version))
    if s.ship_time is not None:
        raise precondition(reasons.SHIPMENT_ALREADY_SHIPPED, f"Shipment {s.id} has left already.", shipment=s.id)
    if s.void_time is not None and not void:
        raise precondition(reasons.SHIPMENT_VOID, f"All that shipment {s.id} holds was canceled.", shipment=s.id)
