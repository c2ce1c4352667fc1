"""OrderSubStatusService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.resource.contract import Methods
from services.order.application.ports import OrderWork
from services.order.application.progress.declare_sub_statuses import of_changed, of_created
from services.order.contract.sub_statuses import check_id
from waybill.order.v1 import order_sub_status_service_pb2 as pb
from waybill.order.v1 import order_sub_status_service_pb2_grpc as pb_grpc


class OrderSubStatusServicer(pb_grpc.OrderSubStatusServiceServicer):
    """Statuses of the marketplace's own for buyer orders."""

    def __init__(self, methods: Methods[OrderWork]) -> None:
        self._methods = methods

    async def CreateOrderSubStatus(
        self, request: pb.CreateOrderSubStatusRequest, context: Any
    ) -> pb.CreateOrderSubStatusResponse:
        found = Violations()
        check_id(found, "order_sub_status", request.order_sub_status.id)
        given = [request.order_sub_status]
        (made,) = await self._methods.create(request, given, "order_sub_status", guard=of_created, before=found)
        return pb.CreateOrderSubStatusResponse(order_sub_status=made)

    async def BatchCreateOrderSubStatuses(
        self, request: pb.BatchCreateOrderSubStatusesRequest, context: Any
    ) -> pb.BatchCreateOrderSubStatusesResponse:
        found = Violations()
        given = request.order_sub_statuses
        for i, one in enumerate(given):
            check_id(found, f"order_sub_statuses[{i}]", one.id)
        made = await self._methods.create(request, given, "order_sub_statuses", guard=of_created, before=found)
        return pb.BatchCreateOrderSubStatusesResponse(order_sub_statuses=made)

    async def GetOrderSubStatus(self, request: pb.GetOrderSubStatusRequest, context: Any) -> pb.GetOrderSubStatusResponse:
        return pb.GetOrderSubStatusResponse(order_sub_status=await self._methods.get(request.order_sub_status_id))

    async def ListOrderSubStatuses(
        self, request: pb.ListOrderSubStatusesRequest, context: Any
    ) -> pb.ListOrderSubStatusesResponse:
        page = await self._methods.list(request)
        return pb.ListOrderSubStatusesResponse(
            order_sub_statuses=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateOrderSubStatus(
        self, request: pb.UpdateOrderSubStatusRequest, context: Any
    ) -> pb.UpdateOrderSubStatusResponse:
        changed = await self._methods.update(request, request.order_sub_status, "order_sub_status", guard=of_changed)
        return pb.UpdateOrderSubStatusResponse(order_sub_status=changed)

    async def DeleteOrderSubStatus(
        self, request: pb.DeleteOrderSubStatusRequest, context: Any
    ) -> pb.DeleteOrderSubStatusResponse:
        await self._methods.delete(request, request.order_sub_status_id)
        return pb.DeleteOrderSubStatusResponse()
