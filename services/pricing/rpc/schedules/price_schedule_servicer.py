"""PriceScheduleService."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from libs.errors import Violations
from libs.idempotency.key import RequestKey, key_of
from libs.protoconv import mask_paths
from libs.query.request import page_request
from libs.resource.contract import Methods
from libs.rpc import current
from services.pricing.application.access import supplier_of
from services.pricing.application.ports import AssignmentLists, PricingWork
from services.pricing.application.schedules.assign_price_schedules import AssignPriceSchedules
from services.pricing.application.schedules.supplier_schedules import SupplierSchedules
from services.pricing.domain.schedules.assignment import BATCH, Assignment, Key
from services.pricing.rpc import convert
from waybill.pricing.v1 import price_schedule_service_pb2 as pb
from waybill.pricing.v1 import price_schedule_service_pb2_grpc as pb_grpc
from waybill.pricing.v1 import reasons


def _request(message: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, message)


def supplier() -> str:
    """The supplier that the caller is of; empty for others."""
    return supplier_of(current().principal)


def _owned(found: Violations, messages: Iterable[pb.PriceSchedule], path: str) -> list[pb.PriceSchedule]:
    """The schedules with their owner, who is the caller; notes those that name another. `path` has `{}` for an index, if there
    is one."""
    made: list[pb.PriceSchedule] = []
    owner = supplier()
    for i, (message, _) in enumerate(zip(messages, range(BATCH + 1), strict=False)):
        own = message.owner_supplier_id in ("", owner)
        found.require(f"{path.format(i)}.owner_supplier_id", own, reasons.FIELD_INVALID, "follows from who makes the schedule")
        schedule = pb.PriceSchedule()
        schedule.CopyFrom(message)
        schedule.owner_supplier_id = owner
        made.append(schedule)
    return made


class PriceScheduleServicer(pb_grpc.PriceScheduleServiceServicer):
    """Price schedules and their assignment to products."""

    def __init__(
        self,
        schedules: Methods[PricingWork],
        supplied: SupplierSchedules,
        assigning: AssignPriceSchedules,
        assignments: AssignmentLists,
    ) -> None:
        self._schedules = schedules
        self._supplied = supplied
        self._assigning = assigning
        self._assignments = assignments

    async def _create(self, request: Any, messages: Iterable[pb.PriceSchedule], field: str, path: str) -> list[Any]:
        wrong = Violations()
        made = _owned(wrong, messages, path)
        guard = await self._supplied.creates(supplier_id) if (supplier_id := supplier()) else None
        return await self._schedules.create(request, made, field, guard=guard, before=wrong)

    async def CreatePriceSchedule(self, request: pb.CreatePriceScheduleRequest, context: Any) -> pb.CreatePriceScheduleResponse:
        (made,) = await self._create(request, [request.price_schedule], "price_schedule", "price_schedule")
        return pb.CreatePriceScheduleResponse(price_schedule=made)

    async def BatchCreatePriceSchedules(
        self, request: pb.BatchCreatePriceSchedulesRequest, context: Any
    ) -> pb.BatchCreatePriceSchedulesResponse:
        made = await self._create(request, request.price_schedules, "price_schedules", "price_schedules[{}]")
        return pb.BatchCreatePriceSchedulesResponse(price_schedules=made)

    async def GetPriceSchedule(self, request: pb.GetPriceScheduleRequest, context: Any) -> pb.GetPriceScheduleResponse:
        return pb.GetPriceScheduleResponse(price_schedule=await self._schedules.get(request.price_schedule_id))

    async def ListPriceSchedules(self, request: pb.ListPriceSchedulesRequest, context: Any) -> pb.ListPriceSchedulesResponse:
        page = await self._schedules.list(request)
        return pb.ListPriceSchedulesResponse(
            price_schedules=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdatePriceSchedule(self, request: pb.UpdatePriceScheduleRequest, context: Any) -> pb.UpdatePriceScheduleResponse:
        schedule = request.price_schedule
        # What is wrong with the mask is found again, and noted, by the update.
        paths = mask_paths(Violations(), request.update_mask, schedule, pb.PriceSchedule.DESCRIPTOR.fields_by_name)
        places = {step.quantity: i for i, step in enumerate(schedule.price_breaks)} if "price_breaks" in paths else None
        guard = self._supplied.changes(places)
        if supplier_id := supplier():
            guard = await self._supplied.changes_own(supplier_id, schedule.id, places)
        made = await self._schedules.update(request, schedule, "price_schedule", guard=guard)
        return pb.UpdatePriceScheduleResponse(price_schedule=made)

    async def DeletePriceSchedule(self, request: pb.DeletePriceScheduleRequest, context: Any) -> pb.DeletePriceScheduleResponse:
        await self._schedules.delete(request, request.price_schedule_id)
        return pb.DeletePriceScheduleResponse()

    async def AssignPriceSchedules(
        self, request: pb.AssignPriceSchedulesRequest, context: Any
    ) -> pb.AssignPriceSchedulesResponse:
        wanted = [Assignment(_key(a), a.price_schedule_id) for a in request.assignments]
        await self._assigning.assign(_request(request), wanted, supplier())
        return pb.AssignPriceSchedulesResponse()

    async def UnassignPriceSchedules(
        self, request: pb.UnassignPriceSchedulesRequest, context: Any
    ) -> pb.UnassignPriceSchedulesResponse:
        keys = [_key(a) for a in request.assignments]
        await self._assigning.unassign(_request(request), keys, supplier())
        return pb.UnassignPriceSchedulesResponse()

    async def ListPriceAssignments(
        self, request: pb.ListPriceAssignmentsRequest, context: Any
    ) -> pb.ListPriceAssignmentsResponse:
        caller = current().principal
        bound = {"party": caller.party_id, "user": caller.identity}
        page = await self._assignments.page(page_request(request), bound, supplier())
        return pb.ListPriceAssignmentsResponse(
            assignments=[convert.assignment_out(a) for a in page.items],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    async def BatchGetPriceAssignments(
        self, request: pb.BatchGetPriceAssignmentsRequest, context: Any
    ) -> pb.BatchGetPriceAssignmentsResponse:
        found = Violations()
        found.require("product_ids", len(request.product_ids) <= BATCH, reasons.TOO_MANY_ITEMS, f"at most {BATCH:,}")
        for i, id in enumerate(request.product_ids[:BATCH]):
            found.check_id(f"product_ids[{i}]", id)
        found.raise_if_any()
        made = await self._assignments.of_products(request.product_ids, supplier())
        return pb.BatchGetPriceAssignmentsResponse(assignments=[convert.assignment_out(a) for a in made])


def _key(message: pb.PriceAssignment | pb.PriceAssignmentKey) -> Key:
    return Key(message.product_id, message.buyer_id, message.user_group_id, message.variant_id)
