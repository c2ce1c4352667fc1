"""FulfillmentReportService: for fulfillment only."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.rpc import require_service
from services.order.adapters.clients.reports import reports_of
from services.order.application.report_fulfillment import ReportFulfillment
from waybill.order.v1 import fulfillment_report_service_pb2 as pb
from waybill.order.v1 import fulfillment_report_service_pb2_grpc as pb_grpc

MAX_REPORTS = 1_000


class FulfillmentReportServicer(pb_grpc.FulfillmentReportServiceServicer):
    """Takes whole states."""

    def __init__(self, report: ReportFulfillment) -> None:
        self._report = report

    async def ReportFulfillment(
        self, request: pb.ReportFulfillmentRequest, context: Any
    ) -> pb.ReportFulfillmentResponse:
        require_service("fulfillment")
        found = Violations()
        for name in ("supplier_orders", "shipments"):
            few = len(getattr(request, name)) <= MAX_REPORTS
            found.require(name, few, "TOO_MANY_ITEMS", f"at most {MAX_REPORTS:,}")
        found.raise_if_any()
        unknown = await self._report(reports_of(request.supplier_orders, request.shipments))
        return pb.ReportFulfillmentResponse(unknown_order_keys=[str(key) for key in unknown])
