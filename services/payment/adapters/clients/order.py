"""The order service, as payment asks it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from libs.rpc.peers import Peers
from services.payment.application.ports import Alert
from waybill.order.v1 import payment_report_service_pb2 as report_pb
from waybill.order.v1 import payment_report_service_pb2_grpc as report_grpc
from waybill.order.v1 import submission_decision_service_pb2 as pb
from waybill.order.v1 import submission_decision_service_pb2_grpc as pb_grpc
from waybill.order.v1 import submission_pb2
from waybill.payment.v1 import payment_pb2


class OrderDecisions:
    """ResolveSubmission."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("order", pb_grpc.SubmissionDecisionServiceStub)

    async def resolve(self, key: uuid.UUID, attempt: int) -> str:
        """TRYING, ACCEPTED or REFUSED."""
        answer = await self._stub.ResolveSubmission(pb.ResolveSubmissionRequest(order_key=str(key), attempt=attempt))
        return submission_pb2.SubmissionState.Name(answer.state).removeprefix("SUBMISSION_STATE_")


class OrderReports:
    """ReportPayments, ListEndedOrders."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("order", report_grpc.PaymentReportServiceStub)

    async def report(self, alerts: Sequence[Alert], patience: float) -> set[uuid.UUID]:
        """Returns keys of orders that the order service does not know."""
        request = report_pb.ReportPaymentsRequest(
            payments=[
                report_pb.PaymentReport(
                    order_key=str(alert.order_key),
                    payment_id=alert.payment_id,
                    message=alert.message,
                    state=payment_pb2.PaymentState.Value(f"PAYMENT_STATE_{alert.state}"),
                )
                for alert in alerts
            ]
        )
        answer = await self._stub.ReportPayments(request, timeout=patience)
        return {uuid.UUID(key) for key in answer.unknown_order_keys}

    async def ended(self, keys: Collection[uuid.UUID], *, captured: bool = False) -> set[uuid.UUID]:
        """Which of these orders have ended."""
        request = report_pb.ListEndedOrdersRequest(order_keys=[str(key) for key in sorted(keys)], captured=captured)
        answer = await self._stub.ListEndedOrders(request)
        return {uuid.UUID(key) for key in answer.order_keys}
