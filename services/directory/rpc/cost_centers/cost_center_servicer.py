"""CostCenterService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.auth import PartyKind
from libs.errors import Violations
from libs.idempotency.key import key_of
from libs.query.request import page_request
from libs.resource.contract import Items, Methods
from libs.rpc import current
from services.directory.application.cost_centers.cost_centers import CostCenterAssignments, check_cost_centers
from services.directory.application.ports import DirectoryWork
from services.directory.application.reads import CostCenterLists
from services.directory.domain.access import require_party
from services.directory.domain.cost_centers.assignments import CostCenterAssignment
from services.directory.rpc.convert import BATCH, counted, id_in
from waybill.directory.v1 import cost_center_service_pb2 as pb
from waybill.directory.v1 import cost_center_service_pb2_grpc as pb_grpc


class CostCenterServicer(pb_grpc.CostCenterServiceServicer):
    """Cost centers, and who may use them. `usable` are the same methods over what the caller itself may use."""

    def __init__(
        self,
        cost_centers: Methods[DirectoryWork],
        usable: Methods[DirectoryWork],
        assignments: CostCenterAssignments,
        lists: CostCenterLists,
    ) -> None:
        self._cost_centers = cost_centers
        self._usable = usable
        self._assignments = assignments
        self._lists = lists

    async def CreateCostCenter(self, request: pb.CreateCostCenterRequest, context: Any) -> pb.CreateCostCenterResponse:
        (made,) = await self._create(request, [request.cost_center], "cost_center")
        return pb.CreateCostCenterResponse(cost_center=made)

    async def BatchCreateCostCenters(
        self, request: pb.BatchCreateCostCentersRequest, context: Any
    ) -> pb.BatchCreateCostCentersResponse:
        made = await self._create(request, request.cost_centers, "cost_centers")
        return pb.BatchCreateCostCentersResponse(cost_centers=made)

    async def GetCostCenter(self, request: pb.GetCostCenterRequest, context: Any) -> pb.GetCostCenterResponse:
        found = await self._cost_centers.get(id_in("cost_center_id", request.cost_center_id))
        return pb.GetCostCenterResponse(cost_center=found)

    async def ListCostCenters(self, request: pb.ListCostCentersRequest, context: Any) -> pb.ListCostCentersResponse:
        page = await self._cost_centers.list(request)
        return pb.ListCostCentersResponse(
            cost_centers=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def ListMyCostCenters(self, request: pb.ListMyCostCentersRequest, context: Any) -> pb.ListMyCostCentersResponse:
        page = await self._usable.list(request)
        return pb.ListMyCostCentersResponse(
            cost_centers=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateCostCenter(self, request: pb.UpdateCostCenterRequest, context: Any) -> pb.UpdateCostCenterResponse:
        made = await self._cost_centers.update(request, request.cost_center, "cost_center")
        return pb.UpdateCostCenterResponse(cost_center=made)

    async def DeleteCostCenter(self, request: pb.DeleteCostCenterRequest, context: Any) -> pb.DeleteCostCenterResponse:
        await self._cost_centers.delete(request, id_in("cost_center_id", request.cost_center_id))
        return pb.DeleteCostCenterResponse()

    async def AssignCostCenters(self, request: pb.AssignCostCentersRequest, context: Any) -> pb.AssignCostCentersResponse:
        caller, found = current().principal, counted("assignments", request.assignments)
        items = _assignments_in(found, request.assignments)
        await self._assignments.assign(caller, found, items, key_of(caller, current().method, request))
        return pb.AssignCostCentersResponse()

    async def UnassignCostCenters(self, request: pb.UnassignCostCentersRequest, context: Any) -> pb.UnassignCostCentersResponse:
        caller, found = current().principal, counted("assignments", request.assignments)
        items = _assignments_in(found, request.assignments)
        await self._assignments.unassign(caller, found, items, key_of(caller, current().method, request))
        return pb.UnassignCostCentersResponse()

    async def ListCostCenterAssignments(
        self, request: pb.ListCostCenterAssignmentsRequest, context: Any
    ) -> pb.ListCostCenterAssignmentsResponse:
        page = await self._lists.assignments(current().principal, page_request(request))
        return pb.ListCostCenterAssignmentsResponse(
            assignments=[
                pb.CostCenterAssignment(cost_center_id=item.cost_center_id, user_id=item.user_id, user_group_id=item.group_id)
                for item in page.items
            ],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    async def _create(self, request: Any, cost_centers: Sequence[pb.CostCenter], where: str) -> list[Any]:
        for one in cost_centers[:BATCH]:
            if one.buyer_id:
                require_party(current().principal, PartyKind.BUYER.value, one.buyer_id)
        return await self._cost_centers.create(request, cost_centers, where, guard=_guard)


async def _guard(work: DirectoryWork, found: Violations, items: Items) -> None:
    await check_cost_centers(work, found, [(where, values["buyer_id"]) for where, values in items])


def _assignments_in(found: Violations, messages: Sequence[pb.CostCenterAssignment]) -> list[CostCenterAssignment]:
    """The assignments that a request names."""
    for i, message in enumerate(messages[:BATCH]):
        found.check_id(f"assignments[{i}].cost_center_id", message.cost_center_id)
        for name in ("user_id", "user_group_id"):
            found.check_id(f"assignments[{i}].{name}", getattr(message, name), required=False)
    return [CostCenterAssignment(m.cost_center_id, m.user_id, m.user_group_id) for m in messages[:BATCH]]
