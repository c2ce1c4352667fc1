"""Serves waybill.fulfillment.v1.ShipmentService: convert, call, convert."""

from __future__ import annotations

from typing import Any

from libs.clock import Clock
from libs.errors import Violations
from libs.idempotency.key import key_of
from libs.query.request import page_request
from libs.rpc import current
from services.fulfillment.application.shipments.create_shipments import CreateShipments
from services.fulfillment.application.shipments.shipment_items import ShipmentItems
from services.fulfillment.application.shipments.shipments import Shipments
from services.fulfillment.contract.reports import shipment_out
from services.fulfillment.domain.sourcing.model import MAX_LINES
from services.fulfillment.rpc.requests import refuse_duplicates
from services.fulfillment.rpc.shipments.requests import items_in, ship_order_in, shipment_edit_in, shipment_in
from waybill.fulfillment.v1 import reasons, shipment_service_pb2_grpc
from waybill.fulfillment.v1 import shipment_service_pb2 as pb

MAX_SHIPMENTS = 100


class ShipmentServicer(shipment_service_pb2_grpc.ShipmentServiceServicer):
    """Shipments of suppliers, the seller, and for buyers to read."""

    def __init__(self, create: CreateShipments, shipments: Shipments, items: ShipmentItems, clock: Clock) -> None:
        self._items = items
        self._create = create
        self._shipments = shipments
        self._clock = clock

    async def CreateShipment(self, request: pb.CreateShipmentRequest, context: Any) -> pb.CreateShipmentResponse:
        """Creates one."""
        call, found = current(), Violations()
        draft = shipment_in(found, "shipment", request.shipment, self._clock.now())
        found.raise_if_any()
        (made,) = await self._create(call.principal, [draft], key_of(call.principal, call.method, request))
        return pb.CreateShipmentResponse(shipment=shipment_out(made))

    async def BatchCreateShipments(
        self, request: pb.BatchCreateShipmentsRequest, context: Any
    ) -> pb.BatchCreateShipmentsResponse:
        """Creates many: all or none."""
        call, found, messages = current(), Violations(), request.shipments
        if not messages:
            found.add("shipments", reasons.FIELD_REQUIRED, "at least one")
        if len(messages) > MAX_SHIPMENTS:
            found.add("shipments", reasons.TOO_MANY_ITEMS, f"at most {MAX_SHIPMENTS}")
        if sum(len(m.items) for m in messages) > MAX_LINES:
            found.add("shipments", reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,} items together")
        found.raise_if_any()
        now = self._clock.now()
        drafts = [shipment_in(found, f"shipments[{n}]", m, now) for n, m in enumerate(messages)]
        refuse_duplicates(found, [(f"{d.field}.id", d.id) for d in drafts])
        found.raise_if_any()
        made = await self._create(call.principal, drafts, key_of(call.principal, call.method, request))
        return pb.BatchCreateShipmentsResponse(shipments=[shipment_out(s) for s in made])

    async def ShipOrder(self, request: pb.ShipOrderRequest, context: Any) -> pb.ShipOrderResponse:
        """Ships all that is open of a supplier order."""
        call, found = current(), Violations()
        draft = ship_order_in(found, request, self._clock.now())
        found.raise_if_any()
        (made,) = await self._create(call.principal, [draft], key_of(call.principal, call.method, request))
        return pb.ShipOrderResponse(shipment=shipment_out(made))

    async def GetShipment(self, request: pb.GetShipmentRequest, context: Any) -> pb.GetShipmentResponse:
        """Reads one."""
        shipment = await self._shipments.get(current().principal, request.shipment_id)
        return pb.GetShipmentResponse(shipment=shipment_out(shipment))

    async def ListShipments(self, request: pb.ListShipmentsRequest, context: Any) -> pb.ListShipmentsResponse:
        """Lists them."""
        page = await self._shipments.page(current().principal, page_request(request), request.order_id)
        return pb.ListShipmentsResponse(
            shipments=[shipment_out(s) for s in page.items], next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateShipment(self, request: pb.UpdateShipmentRequest, context: Any) -> pb.UpdateShipmentResponse:
        """Changes one; a ship time ships it."""
        call, found = current(), Violations()
        edit = shipment_edit_in(found, request, self._clock.now())
        found.raise_if_any()
        shipment = await self._shipments.update(
            call.principal, request.shipment.id, request.shipment.etag, edit, key_of(call.principal, call.method, request)
        )
        return pb.UpdateShipmentResponse(shipment=shipment_out(shipment))

    async def AddShipmentItems(self, request: pb.AddShipmentItemsRequest, context: Any) -> pb.AddShipmentItemsResponse:
        """Puts units into one."""
        call, found = current(), Violations()
        items = items_in(found, "items", request.items)
        found.raise_if_any()
        key = key_of(call.principal, call.method, request)
        shipment = await self._items.add(call.principal, request.shipment_id, request.etag, items, key)
        return pb.AddShipmentItemsResponse(shipment=shipment_out(shipment))

    async def RemoveShipmentItems(self, request: pb.RemoveShipmentItemsRequest, context: Any) -> pb.RemoveShipmentItemsResponse:
        """Takes units out of one."""
        call, found = current(), Violations()
        items = items_in(found, "items", request.items)
        found.raise_if_any()
        key = key_of(call.principal, call.method, request)
        shipment = await self._items.remove(call.principal, request.shipment_id, request.etag, items, key)
        return pb.RemoveShipmentItemsResponse(shipment=shipment_out(shipment))

    async def DeleteShipment(self, request: pb.DeleteShipmentRequest, context: Any) -> pb.DeleteShipmentResponse:
        """Unpacks one."""
        call = current()
        key = key_of(call.principal, call.method, request)
        await self._items.delete(call.principal, request.shipment_id, request.etag, key)
        return pb.DeleteShipmentResponse()
