"""The order service: reports, and what became of an attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.rpc.peers import Peers
from services.fulfillment.contract.reports import shipment_report, supplier_order_out
from services.fulfillment.domain.shipments.shipment import Shipment
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from waybill.order.v1 import (
    fulfillment_report_service_pb2,
    fulfillment_report_service_pb2_grpc,
    submission_decision_service_pb2,
    submission_decision_service_pb2_grpc,
    submission_pb2,
)


class OrderClient:
    """Calls the order service on behalf of this one. A report is the resource's own message."""

    def __init__(self, peers: Peers) -> None:
        self._reports: Any = peers.stub("order", fulfillment_report_service_pb2_grpc.FulfillmentReportServiceStub)
        self._decisions: Any = peers.stub("order", submission_decision_service_pb2_grpc.SubmissionDecisionServiceStub)

    async def report(self, orders: Sequence[SupplierOrder], sent: Sequence[Shipment], patience: float) -> set[str]:
        """Sends whole states; returns keys of buyer orders that the order service does not know."""
        request = fulfillment_report_service_pb2.ReportFulfillmentRequest(
            supplier_orders=[supplier_order_out(o) for o in orders], shipments=[shipment_report(s) for s in sent]
        )
        answer = await self._reports.ReportFulfillment(request, timeout=patience)
        return set(answer.unknown_order_keys)

    async def resolve(self, order_key: str, attempt: int) -> str:
        """What became of an attempt: TRYING, ACCEPTED or REFUSED."""
        answer = await self._decisions.ResolveSubmission(
            submission_decision_service_pb2.ResolveSubmissionRequest(order_key=order_key, attempt=attempt)
        )
        name = submission_pb2.SubmissionState.Name(answer.state)
        return str(name).removeprefix("SUBMISSION_STATE_")
