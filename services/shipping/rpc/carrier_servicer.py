"""CarrierService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.shipping.application.ports import ShippingWork
from waybill.shipping.v1 import carrier_service_pb2 as pb
from waybill.shipping.v1 import carrier_service_pb2_grpc as pb_grpc


class CarrierServicer(pb_grpc.CarrierServiceServicer):
    """Carriers."""

    def __init__(self, methods: Methods[ShippingWork]) -> None:
        self._methods = methods

    async def CreateCarrier(self, request: pb.CreateCarrierRequest, context: Any) -> pb.CreateCarrierResponse:
        (made,) = await self._methods.create(request, [request.carrier], "carrier")
        return pb.CreateCarrierResponse(carrier=made)

    async def BatchCreateCarriers(self, request: pb.BatchCreateCarriersRequest, context: Any) -> pb.BatchCreateCarriersResponse:
        made = await self._methods.create(request, request.carriers, "carriers")
        return pb.BatchCreateCarriersResponse(carriers=made)

    async def GetCarrier(self, request: pb.GetCarrierRequest, context: Any) -> pb.GetCarrierResponse:
        return pb.GetCarrierResponse(carrier=await self._methods.get(request.carrier_id))

    async def ListCarriers(self, request: pb.ListCarriersRequest, context: Any) -> pb.ListCarriersResponse:
        page = await self._methods.list(request)
        return pb.ListCarriersResponse(carriers=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateCarrier(self, request: pb.UpdateCarrierRequest, context: Any) -> pb.UpdateCarrierResponse:
        changed = await self._methods.update(request, request.carrier, "carrier")
        return pb.UpdateCarrierResponse(carrier=changed)

    async def DeleteCarrier(self, request: pb.DeleteCarrierRequest, context: Any) -> pb.DeleteCarrierResponse:
        await self._methods.delete(request, request.carrier_id)
        return pb.DeleteCarrierResponse()
