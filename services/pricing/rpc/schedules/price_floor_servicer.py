"""PriceFloorService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.resource.contract import Methods
from libs.rpc import current
from services.pricing.application.access import supplier_of
from services.pricing.application.ports import PricingWork
from services.pricing.application.schedules.price_floors import FloorsOfProducts, one_floor_each
from services.pricing.domain.schedules.assignment import BATCH
from waybill.pricing.v1 import price_floor_service_pb2 as pb
from waybill.pricing.v1 import price_floor_service_pb2_grpc as pb_grpc
from waybill.pricing.v1 import reasons


class PriceFloorServicer(pb_grpc.PriceFloorServiceServicer):
    """Floors below suppliers' prices."""

    def __init__(self, floors: Methods[PricingWork], of_products: FloorsOfProducts) -> None:
        self._floors = floors
        self._of_products = of_products

    async def CreatePriceFloor(self, request: pb.CreatePriceFloorRequest, context: Any) -> pb.CreatePriceFloorResponse:
        (made,) = await self._floors.create(request, [request.price_floor], "price_floor", guard=one_floor_each)
        return pb.CreatePriceFloorResponse(price_floor=made)

    async def BatchCreatePriceFloors(
        self, request: pb.BatchCreatePriceFloorsRequest, context: Any
    ) -> pb.BatchCreatePriceFloorsResponse:
        made = await self._floors.create(request, request.price_floors, "price_floors", guard=one_floor_each)
        return pb.BatchCreatePriceFloorsResponse(price_floors=made)

    async def GetPriceFloor(self, request: pb.GetPriceFloorRequest, context: Any) -> pb.GetPriceFloorResponse:
        return pb.GetPriceFloorResponse(price_floor=await self._floors.get(request.price_floor_id))

    async def BatchGetPriceFloors(self, request: pb.BatchGetPriceFloorsRequest, context: Any) -> pb.BatchGetPriceFloorsResponse:
        found = Violations()
        found.require("product_ids", len(request.product_ids) <= BATCH, reasons.TOO_MANY_ITEMS, f"at most {BATCH:,}")
        for i, id in enumerate(request.product_ids[:BATCH]):
            found.check_id(f"product_ids[{i}]", id)
        found.raise_if_any()
        floors: list[Any] = list(await self._of_products(set(request.product_ids), supplier_of(current().principal)))
        return pb.BatchGetPriceFloorsResponse(price_floors=floors)

    async def ListPriceFloors(self, request: pb.ListPriceFloorsRequest, context: Any) -> pb.ListPriceFloorsResponse:
        page = await self._floors.list(request)
        return pb.ListPriceFloorsResponse(
            price_floors=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdatePriceFloor(self, request: pb.UpdatePriceFloorRequest, context: Any) -> pb.UpdatePriceFloorResponse:
        made = await self._floors.update(request, request.price_floor, "price_floor")
        return pb.UpdatePriceFloorResponse(price_floor=made)

    async def DeletePriceFloor(self, request: pb.DeletePriceFloorRequest, context: Any) -> pb.DeletePriceFloorResponse:
        await self._floors.delete(request, request.price_floor_id)
        return pb.DeletePriceFloorResponse()
