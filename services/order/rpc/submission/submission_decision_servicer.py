"""SubmissionDecisionService: what services ask about attempts."""

from __future__ import annotations

from typing import Any

from services.order.application.submission.resolve_submission import ResolveSubmission
from services.order.rpc.convert_in import key_in
from waybill.order.v1 import submission_decision_service_pb2 as pb
from waybill.order.v1 import submission_decision_service_pb2_grpc as pb_grpc
from waybill.order.v1 import submission_pb2


class SubmissionDecisionServicer(pb_grpc.SubmissionDecisionServiceServicer):
    """Converts, calls, converts."""

    def __init__(self, resolve: ResolveSubmission) -> None:
        self._resolve = resolve

    async def ResolveSubmission(self, request: pb.ResolveSubmissionRequest, context: Any) -> pb.ResolveSubmissionResponse:
        state = await self._resolve(key_in(request.order_key), request.attempt)
        return pb.ResolveSubmissionResponse(state=submission_pb2.SubmissionState.Value(f"SUBMISSION_STATE_{state}"))
