"""CostScheduleService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.pricing.application.ports import PricingWork
from services.pricing.application.schedules.cost_schedules import one_cost_each
from waybill.pricing.v1 import cost_schedule_service_pb2 as pb
from waybill.pricing.v1 import cost_schedule_service_pb2_grpc as pb_grpc


class CostScheduleServicer(pb_grpc.CostScheduleServiceServicer):
    """What suppliers are paid."""

    def __init__(self, costs: Methods[PricingWork]) -> None:
        self._costs = costs

    async def CreateCostSchedule(self, request: pb.CreateCostScheduleRequest, context: Any) -> pb.CreateCostScheduleResponse:
        (made,) = await self._costs.create(request, [request.cost_schedule], "cost_schedule", guard=one_cost_each)
        return pb.CreateCostScheduleResponse(cost_schedule=made)

    async def BatchCreateCostSchedules(
        self, request: pb.BatchCreateCostSchedulesRequest, context: Any
    ) -> pb.BatchCreateCostSchedulesResponse:
        made = await self._costs.create(request, request.cost_schedules, "cost_schedules", guard=one_cost_each)
        return pb.BatchCreateCostSchedulesResponse(cost_schedules=made)

    async def GetCostSchedule(self, request: pb.GetCostScheduleRequest, context: Any) -> pb.GetCostScheduleResponse:
        return pb.GetCostScheduleResponse(cost_schedule=await self._costs.get(request.cost_schedule_id))

    async def ListCostSchedules(self, request: pb.ListCostSchedulesRequest, context: Any) -> pb.ListCostSchedulesResponse:
        page = await self._costs.list(request)
        return pb.ListCostSchedulesResponse(
            cost_schedules=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateCostSchedule(self, request: pb.UpdateCostScheduleRequest, context: Any) -> pb.UpdateCostScheduleResponse:
        made = await self._costs.update(request, request.cost_schedule, "cost_schedule")
        return pb.UpdateCostScheduleResponse(cost_schedule=made)

    async def DeleteCostSchedule(self, request: pb.DeleteCostScheduleRequest, context: Any) -> pb.DeleteCostScheduleResponse:
        await self._costs.delete(request, request.cost_schedule_id)
        return pb.DeleteCostScheduleResponse()
