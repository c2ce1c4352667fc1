"""FulfillmentReportService and PaymentReportService: for these two services only."""

from __future__ import annotations

import uuid
from typing import Any

from libs.errors import Violations
from services.order.application.progress.ended_orders import EndedOrders
from services.order.application.progress.hold_order import HoldOrder, PaymentAlert
from services.order.application.progress.report_fulfillment import ReportFulfillment
from services.order.contract.reports import reports_of
from services.order.rpc.convert_in import key_in
from waybill.order.v1 import fulfillment_report_service_pb2 as pb
from waybill.order.v1 import fulfillment_report_service_pb2_grpc as pb_grpc
from waybill.order.v1 import payment_report_service_pb2 as payment_pb
from waybill.order.v1 import payment_report_service_pb2_grpc as payment_grpc
from waybill.order.v1 import reasons
from waybill.payment.v1 import payment_pb2

MAX_REPORTS = 1_000


class FulfillmentReportServicer(pb_grpc.FulfillmentReportServiceServicer):
    """Takes whole states."""

    def __init__(self, report: ReportFulfillment) -> None:
        self._report = report

    async def ReportFulfillment(self, request: pb.ReportFulfillmentRequest, context: Any) -> pb.ReportFulfillmentResponse:
        found = Violations()
        for name in ("supplier_orders", "shipments"):
            few = len(getattr(request, name)) <= MAX_REPORTS
            found.require(name, few, reasons.TOO_MANY_ITEMS, f"at most {MAX_REPORTS:,}")
        found.raise_if_any()
        unknown = await self._report(reports_of(request.supplier_orders, request.shipments))
        return pb.ReportFulfillmentResponse(unknown_order_keys=[str(key) for key in unknown])


class PaymentReportServicer(payment_grpc.PaymentReportServiceServicer):
    """Takes payments that need attention; answers which orders have ended."""

    def __init__(self, hold: HoldOrder, ended: EndedOrders) -> None:
        self._hold = hold
        self._ended = ended

    async def ReportPayments(self, request: payment_pb.ReportPaymentsRequest, context: Any) -> payment_pb.ReportPaymentsResponse:
        found = Violations()
        few = len(request.payments) <= MAX_REPORTS
        found.require("payments", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_REPORTS:,}")
        alerts = [alert for n, m in enumerate(request.payments) if (alert := _alert(found, f"payments[{n}]", m))]
        found.raise_if_any()
        unknown = await self._hold.report(alerts)
        return payment_pb.ReportPaymentsResponse(unknown_order_keys=[str(key) for key in unknown])

    async def ListEndedOrders(
        self, request: payment_pb.ListEndedOrdersRequest, context: Any
    ) -> payment_pb.ListEndedOrdersResponse:
        found = Violations()
        few = len(request.order_keys) <= MAX_REPORTS
        found.require("order_keys", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_REPORTS:,}")
        found.raise_if_any()
        ended = await self._ended([key_in(key) for key in request.order_keys], captured=request.captured)
        return payment_pb.ListEndedOrdersResponse(order_keys=[str(key) for key in ended])


def _alert(found: Violations, where: str, m: payment_pb.PaymentReport) -> PaymentAlert | None:
    """Other states than ATTENTION ask nothing of the order."""
    found.check_id(f"{where}.payment_id", m.payment_id)
    try:
        key = uuid.UUID(m.order_key)
    except ValueError:
        found.add(f"{where}.order_key", reasons.FIELD_INVALID, "is no key of an order")
        return None
    wanted = m.state == payment_pb2.PAYMENT_STATE_ATTENTION
    return PaymentAlert(key, m.payment_id, m.message) if wanted else None
