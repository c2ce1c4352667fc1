"""PriceScheduleService."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs import idempotency
from libs.auth import roles
from libs.clock import Clock
from libs.db import Database, Tx
from libs.errors import Violations
from libs.resource import StandardMethods
from libs.rpc import current
from services.pricing.adapters.db.tables import ASSIGNMENTS, REQUESTS, SCHEDULES
from waybill.pricing.v1 import price_schedule_service_pb2 as pb
from waybill.pricing.v1 import price_schedule_service_pb2_grpc as pb_grpc

BATCH = 1_000


def _admin() -> None:
    current().principal.require(roles.PRICE_SCHEDULE_ADMIN)


class PriceScheduleServicer(pb_grpc.PriceScheduleServiceServicer):
    """Price schedules and their assignment to products."""

    def __init__(self, schedules: StandardMethods, database: Database, clock: Clock) -> None:
        self._schedules = schedules
        self._db = database
        self._clock = clock

    async def CreatePriceSchedule(
        self, request: pb.CreatePriceScheduleRequest, context: Any
    ) -> pb.CreatePriceScheduleResponse:
        _admin()
        (made,) = await self._schedules.create(request, [request.price_schedule], "price_schedule")
        return pb.CreatePriceScheduleResponse(price_schedule=made)

    async def BatchCreatePriceSchedules(
        self, request: pb.BatchCreatePriceSchedulesRequest, context: Any
    ) -> pb.BatchCreatePriceSchedulesResponse:
        _admin()
        made = await self._schedules.create(request, request.price_schedules, "price_schedules")
        return pb.BatchCreatePriceSchedulesResponse(price_schedules=made)

    async def GetPriceSchedule(
        self, request: pb.GetPriceScheduleRequest, context: Any
    ) -> pb.GetPriceScheduleResponse:
        _admin()
        return pb.GetPriceScheduleResponse(price_schedule=await self._schedules.get(request.price_schedule_id))

    async def ListPriceSchedules(
        self, request: pb.ListPriceSchedulesRequest, context: Any
    ) -> pb.ListPriceSchedulesResponse:
        _admin()
        page, token = await self._schedules.list(request)
        return pb.ListPriceSchedulesResponse(price_schedules=page, next_page_token=token)

    async def UpdatePriceSchedule(
        self, request: pb.UpdatePriceScheduleRequest, context: Any
    ) -> pb.UpdatePriceScheduleResponse:
        _admin()
        made = await self._schedules.update(request, request.price_schedule, "price_schedule")
        return pb.UpdatePriceScheduleResponse(price_schedule=made)

    async def AssignPriceSchedules(
        self, request: pb.AssignPriceSchedulesRequest, context: Any
    ) -> pb.AssignPriceSchedulesResponse:
        _admin()
        found = Violations()
        found.require("assignments", len(request.assignments) <= BATCH, "TOO_MANY_ITEMS", f"at most {BATCH:,}")
        for i, item in enumerate(request.assignments):
            found.check_id(f"assignments[{i}].product_id", item.product_id)
            found.check_id(f"assignments[{i}].buyer_id", item.buyer_id, required=False)
            found.check_id(f"assignments[{i}].price_schedule_id", item.price_schedule_id)
        found.raise_if_any()
        key = idempotency.key_of(current().principal, current().method, request)
        rows = {
            (a.product_id, a.buyer_id): {
                "product_id": a.product_id, "buyer_id": a.buyer_id, "price_schedule_id": a.price_schedule_id,
            }
            for a in request.assignments
        }  # fmt: skip

        async def work(tx: Tx) -> None:
            if await idempotency.claim(tx, REQUESTS, key, {}, self._clock.now()) is not None or not rows:
                return
            wanted = {a.price_schedule_id for a in request.assignments}
            known = set(
                (await tx.execute(sa.select(SCHEDULES.c.id).where(SCHEDULES.c.id.in_(wanted)))).scalars()
            )
            for i, item in enumerate(request.assignments):
                if item.price_schedule_id not in known:
                    found.add(
                        f"assignments[{i}].price_schedule_id", "PRICE_SCHEDULE_NOT_FOUND",
                        f"there is no price schedule {item.price_schedule_id!r}",
                    )  # fmt: skip
            found.raise_if_any()
            insert = tx.insert(ASSIGNMENTS)
            await tx.execute(
                insert.on_conflict_do_update(
                    index_elements=["product_id", "buyer_id"],
                    set_={"price_schedule_id": insert.excluded.price_schedule_id},
                ),
                [rows[key] for key in sorted(rows)],
            )

        await self._db.retrying(work)
        return pb.AssignPriceSchedulesResponse()

    async def BatchGetPriceAssignments(
        self, request: pb.BatchGetPriceAssignmentsRequest, context: Any
    ) -> pb.BatchGetPriceAssignmentsResponse:
        _admin()
        c = ASSIGNMENTS.c
        statement = sa.select(ASSIGNMENTS).where(c.product_id.in_(list(request.product_ids[:BATCH])))
        async with self._db.reading() as tx:
            rows = (await tx.execute(statement.order_by(c.product_id, c.buyer_id))).mappings().all()
        return pb.BatchGetPriceAssignmentsResponse(assignments=[pb.PriceAssignment(**row) for row in rows])
