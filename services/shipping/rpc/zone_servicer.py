"""ZoneService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.shipping.application.ports import ShippingWork
from waybill.shipping.v1 import zone_service_pb2 as pb
from waybill.shipping.v1 import zone_service_pb2_grpc as pb_grpc


class ZoneServicer(pb_grpc.ZoneServiceServicer):
    """Zones."""

    def __init__(self, methods: Methods[ShippingWork]) -> None:
        self._methods = methods

    async def CreateZone(self, request: pb.CreateZoneRequest, context: Any) -> pb.CreateZoneResponse:
        (made,) = await self._methods.create(request, [request.zone], "zone")
        return pb.CreateZoneResponse(zone=made)

    async def BatchCreateZones(self, request: pb.BatchCreateZonesRequest, context: Any) -> pb.BatchCreateZonesResponse:
        made = await self._methods.create(request, request.zones, "zones")
        return pb.BatchCreateZonesResponse(zones=made)

    async def GetZone(self, request: pb.GetZoneRequest, context: Any) -> pb.GetZoneResponse:
        return pb.GetZoneResponse(zone=await self._methods.get(request.zone_id))

    async def ListZones(self, request: pb.ListZonesRequest, context: Any) -> pb.ListZonesResponse:
        page = await self._methods.list(request)
        return pb.ListZonesResponse(zones=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateZone(self, request: pb.UpdateZoneRequest, context: Any) -> pb.UpdateZoneResponse:
        changed = await self._methods.update(request, request.zone, "zone")
        return pb.UpdateZoneResponse(zone=changed)

    async def DeleteZone(self, request: pb.DeleteZoneRequest, context: Any) -> pb.DeleteZoneResponse:
        await self._methods.delete(request, request.zone_id)
        return pb.DeleteZoneResponse()
