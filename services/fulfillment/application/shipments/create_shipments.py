"""CreateShipment, BatchCreateShipments and ShipOrder: units go on shipments, and leave at once where a ship time is
given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from datetime import datetime

from libs.auth import Principal
from libs.clock import Clock
from libs.errors import FieldViolation, Kind, WaybillError, missing
from libs.idempotency.key import RequestKey
from libs.ids import IdSource
from libs.json_value import JsonObject
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.refusals import refusal
from services.fulfillment.application.reporting import Reporting
from services.fulfillment.domain.shipments.actions.ship import Loading, Wanted, goes_to
from services.fulfillment.domain.shipments.actions.ship_all import pack_all
from services.fulfillment.domain.shipments.shipment import Shipment, ShipmentItem
from services.fulfillment.domain.sourcing.model import Address
from services.fulfillment.domain.stock.ledger import Movement, summed_by_record
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from services.fulfillment.domain.visibility import may_act_for
from waybill.fulfillment.v1 import reasons


@dataclass(frozen=True, slots=True)
class ShipmentDraft:
    """A shipment as a caller wants it; `field` is its place in the request. An empty id is generated.

    With `all_of`, the id of a supplier order, it has no items: all that is open of that one goes into it.
    """

    field: str
    id: str
    items: tuple[Wanted, ...]
    carrier: str = ""
    tracking_number: str = ""
    ship_method_id: str = ""
    cost: int | None = None
    currency: str = ""
    ship_from_id: str = ""
    ship_to: Address | None = None
    ship_time: datetime | None = None
    delivery_time: datetime | None = None
    supplier_number: str = ""
    xp: JsonObject = default(default_factory=dict)
    all_of: str = ""

    @property
    def contents(self) -> str:
        """The field that says what goes into it."""
        return "supplier_order_id" if self.all_of else f"{self.field}.items"


class CreateShipments:
    """The use case, for one shipment or many: all or none, in a constant number of statements."""

    def __init__(self, units: UnitsOfWork[FulfillmentWork], reporting: Reporting, clock: Clock, ids: IdSource) -> None:
        self._units = units
        self._reporting = reporting
        self._clock = clock
        self._ids = ids

    async def __call__(self, caller: Principal, drafts: Sequence[ShipmentDraft], request: RequestKey | None) -> list[Shipment]:
        """The shipments as stored, in the order of the drafts; raises with all violations."""
        ids = [draft.id or self._ids.public("shp") for draft in drafts]

        async def decide(work: FulfillmentWork) -> tuple[list[Shipment], Sequence[SupplierOrder]]:
            now = self._clock.now()
            replayed = await work.requests.claim(request, now, ids)
            if replayed is not None:
                known = {s.id: s for s in await work.shipments.of_ids(replayed)}
                return [known[id] for id in replayed], ()
            return await self._create(work, caller, ids, drafts, now)

        made, orders = await self._units.retrying(decide)
        if orders:
            await self._reporting.report(orders, made)
        return made

    async def _create(
        self, work: FulfillmentWork, caller: Principal, ids: Sequence[str], drafts: Sequence[ShipmentDraft], now: datetime
    ) -> tuple[list[Shipment], Sequence[SupplierOrder]]:
        await self._refuse_taken(work, drafts)
        wanted = {id for draft in drafts for id in (draft.all_of, *(w.supplier_order_id for w in draft.items)) if id}
        found = await work.orders.of_ids(wanted, lock=True)
        orders = {o.id: o for o in found if may_act_for(caller, o.supplier_id)}
        loading = Loading(orders.values())
        movements: list[Movement] = []
        packed: list[tuple[ShipmentItem, ...]] = []
        for id, draft in zip(ids, drafts, strict=True):
            items = _packed(loading, draft, orders)
            packed.append(items)
            loading.check_cost(items, draft.currency, f"{draft.field}.cost")
            if draft.ship_time is not None:
                loading.check_time(items, draft.ship_time, f"{draft.field}.ship_time")
                movements.extend(loading.leave(items, id))
        sums = summed_by_record(movements)
        if sums:
            fields = {id: draft.contents for id, draft in zip(ids, drafts, strict=True)}
            loading.check_stock(movements, await work.stock.of_keys(sums, lock=True), fields)
        if loading.refusals:
            raise refusal(loading.refusals)
        made = [self._shipment(id, draft, items, orders, now) for id, draft, items in zip(ids, drafts, packed, strict=True)]
        after = loading.touched_orders(now)
        await work.orders.save_units({o.key: o for o in orders.values()}, after, now)
        await work.stock.book(movements, sums, now)
        await work.shipments.insert(made, now)
        return made, after

    async def _refuse_taken(self, work: FulfillmentWork, drafts: Sequence[ShipmentDraft]) -> None:
        chosen = [draft for draft in drafts if draft.id]
        if not chosen:
            return
        taken = await work.shipments.taken([draft.id for draft in chosen])
        fields = [
            FieldViolation(f"{draft.field}.id", reasons.RESOURCE_EXISTS, f"shipment {draft.id!r} exists already")
            for draft in chosen
            if draft.id in taken
        ]
        if fields:
            first = next(draft.id for draft in chosen if draft.id in taken)
            raise WaybillError(
                Kind.EXISTS,
                reasons.RESOURCE_EXISTS,
                fields[0].description,
                metadata={"resource": "shipment", "id": first},
                fields=fields,
            )

    def _shipment(
        self, id: str, draft: ShipmentDraft, items: tuple[ShipmentItem, ...], orders: Mapping[str, SupplierOrder], now: datetime
    ) -> Shipment:
        first = orders[items[0].supplier_order_id]
        return Shipment(
            key=self._ids.key(),
            id=id,
            supplier_id=first.supplier_id,
            buyer_id=first.buyer_id,
            items=items,
            create_time=now,
            update_time=now,
            carrier=draft.carrier,
            tracking_number=draft.tracking_number,
            ship_method_id=draft.ship_method_id,
            cost=draft.cost,
            currency=draft.currency,
            ship_from_id=draft.ship_from_id,
            ship_to=goes_to(draft.ship_to, first, items[0].line_item_id),
            ship_time=draft.ship_time,
            delivery_time=draft.delivery_time,
            supplier_number=draft.supplier_number,
            xp=draft.xp,
        )


def _packed(loading: Loading, draft: ShipmentDraft, orders: Mapping[str, SupplierOrder]) -> tuple[ShipmentItem, ...]:
    if not draft.all_of:
        return loading.pack(draft.items, draft.contents)
    if draft.all_of not in orders:
        raise missing("supplier order", draft.all_of)
    return pack_all(loading, orders[draft.all_of], draft.contents)
