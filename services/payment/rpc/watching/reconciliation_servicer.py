"""ReconciliationService: for operators."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.query.request import page_request
from services.payment.application.watching.reconcile_payments import ReconcilePayments
from services.payment.contract.payments import payment_out
from waybill.payment.v1 import reasons
from waybill.payment.v1 import reconciliation_service_pb2 as pb
from waybill.payment.v1 import reconciliation_service_pb2_grpc as pb_grpc

MAX_PAYMENTS = 50


class ReconciliationServicer(pb_grpc.ReconciliationServiceServicer):
    """Payments with something open."""

    def __init__(self, use: ReconcilePayments) -> None:
        self._use = use

    async def ListUnsettledPayments(
        self, request: pb.ListUnsettledPaymentsRequest, context: Any
    ) -> pb.ListUnsettledPaymentsResponse:
        page = await self._use.unsettled(page_request(request))
        return pb.ListUnsettledPaymentsResponse(
            payments=[payment_out(one.payment, one.transactions) for one in page.items],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    async def ReconcilePayments(self, request: pb.ReconcilePaymentsRequest, context: Any) -> pb.ReconcilePaymentsResponse:
        found = Violations()
        few = 1 <= len(request.payment_ids) <= MAX_PAYMENTS
        found.require("payment_ids", few, reasons.TOO_MANY_ITEMS, f"1 to {MAX_PAYMENTS}")
        for i, id in enumerate(request.payment_ids[:MAX_PAYMENTS]):
            found.check_id(f"payment_ids[{i}]", id)
        found.raise_if_any()
        done = await self._use(list(request.payment_ids))
        return pb.ReconcilePaymentsResponse(
            payments=[
                pb.ReconciledPayment(payment=payment_out(one.payment, one.transactions), settled=one.settled) for one in done
            ]
        )
