"""SubmissionService: for operators."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.protoconv import time_out
from libs.query.request import page_request
from services.order.application.submission.operate_submissions import OperateSubmissions, OrderAttempt
from services.order.contract.problems import problem_out
from waybill.order.v1 import reasons, submission_pb2
from waybill.order.v1 import submission_service_pb2 as pb
from waybill.order.v1 import submission_service_pb2_grpc as pb_grpc


class SubmissionServicer(pb_grpc.SubmissionServiceServicer):
    """Attempts that are not at their end."""

    def __init__(self, use: OperateSubmissions) -> None:
        self._use = use

    async def ListSubmissions(self, request: pb.ListSubmissionsRequest, context: Any) -> pb.ListSubmissionsResponse:
        page = await self._use.list(page_request(request))
        return pb.ListSubmissionsResponse(
            submissions=[_out(one) for one in page.items], next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def DriveSubmission(self, request: pb.DriveSubmissionRequest, context: Any) -> pb.DriveSubmissionResponse:
        found = Violations()
        found.check_id("order_id", request.order_id)
        found.require("attempt", request.attempt >= 0, reasons.VALUE_OUT_OF_RANGE, "must be zero or more")
        found.raise_if_any()
        return pb.DriveSubmissionResponse(submission=_out(await self._use.drive(request.order_id, request.attempt)))


def _out(one: OrderAttempt) -> pb.OrderSubmission:
    a = one.attempt
    return pb.OrderSubmission(
        order_id=one.order_id,
        buyer_id=one.buyer_id,
        submission=submission_pb2.Submission(
            attempt=a.attempt,
            state=submission_pb2.SubmissionState.Value(f"SUBMISSION_STATE_{a.state}"),
            finished=a.finished,
            reasons=[problem_out(r) for r in a.reasons],
            begin_time=time_out(a.begin_time),
            deadline=time_out(a.deadline),
            decide_time=time_out(a.decide_time),
            user_id=str(a.caller.get("sub", "")),
            kind=submission_pb2.SubmissionKind.Value(f"SUBMISSION_KIND_{a.kind}"),
            outcome=submission_pb2.SubmissionOutcome.Value(f"SUBMISSION_OUTCOME_{a.outcome or 'UNSPECIFIED'}"),
        ),
        next_action_time=None if a.finished else time_out(a.next_action_time),
        failures=0 if a.finished else a.failures,
        failure="" if a.finished else a.failure or "",
    )
