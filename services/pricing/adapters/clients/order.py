"""The order service, as pricing asks it."""

from __future__ import annotations

import uuid
from typing import Any

from libs.rpc.peers import Peers
from waybill.order.v1 import submission_decision_service_pb2 as pb
from waybill.order.v1 import submission_decision_service_pb2_grpc as pb_grpc
from waybill.order.v1 import submission_pb2


class OrderDecisions:
    """ResolveSubmission."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("order", pb_grpc.SubmissionDecisionServiceStub)

    async def resolve(self, key: uuid.UUID, attempt: int) -> str:
        """TRYING, ACCEPTED or REFUSED."""
        answer = await self._stub.ResolveSubmission(pb.ResolveSubmissionRequest(order_key=str(key), attempt=attempt))
        return submission_pb2.SubmissionState.Name(answer.state).removeprefix("SUBMISSION_STATE_")
