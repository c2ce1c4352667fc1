"""ShipMethodAssignmentService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.shipping.application.ports import ShippingWork
from services.shipping.rpc.references import of_assignments
from waybill.shipping.v1 import ship_method_assignment_service_pb2 as pb
from waybill.shipping.v1 import ship_method_assignment_service_pb2_grpc as pb_grpc


class ShipMethodAssignmentServicer(pb_grpc.ShipMethodAssignmentServiceServicer):
    """Assignments of ship methods."""

    def __init__(self, methods: Methods[ShippingWork]) -> None:
        self._methods = methods

    async def CreateShipMethodAssignment(
        self, request: pb.CreateShipMethodAssignmentRequest, context: Any
    ) -> pb.CreateShipMethodAssignmentResponse:
        (made,) = await self._methods.create(
            request, [request.ship_method_assignment], "ship_method_assignment", guard=of_assignments
        )
        return pb.CreateShipMethodAssignmentResponse(ship_method_assignment=made)

    async def BatchCreateShipMethodAssignments(
        self, request: pb.BatchCreateShipMethodAssignmentsRequest, context: Any
    ) -> pb.BatchCreateShipMethodAssignmentsResponse:
        made = await self._methods.create(
            request, request.ship_method_assignments, "ship_method_assignments", guard=of_assignments
        )
        return pb.BatchCreateShipMethodAssignmentsResponse(ship_method_assignments=made)

    async def GetShipMethodAssignment(
        self, request: pb.GetShipMethodAssignmentRequest, context: Any
    ) -> pb.GetShipMethodAssignmentResponse:
        return pb.GetShipMethodAssignmentResponse(
            ship_method_assignment=await self._methods.get(request.ship_method_assignment_id)
        )

    async def ListShipMethodAssignments(
        self, request: pb.ListShipMethodAssignmentsRequest, context: Any
    ) -> pb.ListShipMethodAssignmentsResponse:
        page = await self._methods.list(request)
        return pb.ListShipMethodAssignmentsResponse(
            ship_method_assignments=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def DeleteShipMethodAssignment(
        self, request: pb.DeleteShipMethodAssignmentRequest, context: Any
    ) -> pb.DeleteShipMethodAssignmentResponse:
        await self._methods.delete(request, request.ship_method_assignment_id)
        return pb.DeleteShipMethodAssignmentResponse()
