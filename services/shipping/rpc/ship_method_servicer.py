"""ShipMethodService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.shipping.application.ports import ShippingWork
from services.shipping.rpc.references import of_ship_methods
from waybill.shipping.v1 import ship_method_service_pb2 as pb
from waybill.shipping.v1 import ship_method_service_pb2_grpc as pb_grpc


class ShipMethodServicer(pb_grpc.ShipMethodServiceServicer):
    """Ship methods."""

    def __init__(self, methods: Methods[ShippingWork]) -> None:
        self._methods = methods

    async def CreateShipMethod(self, request: pb.CreateShipMethodRequest, context: Any) -> pb.CreateShipMethodResponse:
        (made,) = await self._methods.create(request, [request.ship_method], "ship_method", guard=of_ship_methods)
        return pb.CreateShipMethodResponse(ship_method=made)

    async def BatchCreateShipMethods(
        self, request: pb.BatchCreateShipMethodsRequest, context: Any
    ) -> pb.BatchCreateShipMethodsResponse:
        made = await self._methods.create(request, request.ship_methods, "ship_methods", guard=of_ship_methods)
        return pb.BatchCreateShipMethodsResponse(ship_methods=made)

    async def GetShipMethod(self, request: pb.GetShipMethodRequest, context: Any) -> pb.GetShipMethodResponse:
        return pb.GetShipMethodResponse(ship_method=await self._methods.get(request.ship_method_id))

    async def ListShipMethods(self, request: pb.ListShipMethodsRequest, context: Any) -> pb.ListShipMethodsResponse:
        page = await self._methods.list(request)
        return pb.ListShipMethodsResponse(
            ship_methods=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateShipMethod(self, request: pb.UpdateShipMethodRequest, context: Any) -> pb.UpdateShipMethodResponse:
        changed = await self._methods.update(request, request.ship_method, "ship_method", guard=of_ship_methods)
        return pb.UpdateShipMethodResponse(ship_method=changed)

    async def DeleteShipMethod(self, request: pb.DeleteShipMethodRequest, context: Any) -> pb.DeleteShipMethodResponse:
        await self._methods.delete(request, request.ship_method_id)
        return pb.DeleteShipMethodResponse()
