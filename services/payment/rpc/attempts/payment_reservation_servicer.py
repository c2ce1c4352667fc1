"""PaymentReservationService: for services only."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from libs.errors import Violations
from libs.protoconv import instant
from libs.rpc import current
from services.payment.application.attempts.authorize_payments import AuthorizePayments
from services.payment.application.attempts.end_attempt import EndAttempt
from services.payment.application.attempts.reserve_payments import ReservePayments, Step
from services.payment.contract.payments import payment_out
from services.payment.rpc import convert
from waybill.payment.v1 import payment_reservation_service_pb2 as pb
from waybill.payment.v1 import payment_reservation_service_pb2_grpc as pb_grpc


def _ended(request: pb.ConfirmPaymentsRequest | pb.ReleasePaymentsRequest) -> tuple[uuid.UUID, int]:
    found = Violations()
    attempt = convert.attempt_in(found, request)
    found.raise_if_any()
    return convert.key_in(request.order_key), attempt


class PaymentReservationServicer(pb_grpc.PaymentReservationServiceServicer):
    """The steps of submit, for the order service."""

    def __init__(self, reserve: ReservePayments, authorize: AuthorizePayments, end: EndAttempt) -> None:
        self._reserve = reserve
        self._authorize = authorize
        self._end = end

    async def ReservePayments(self, request: pb.ReservePaymentsRequest, context: Any) -> pb.ReservePaymentsResponse:
        found = Violations()
        order = replace(convert.order_in(found, request), caller=current().caller)
        drafts = convert.drafts_in(found, request.new_payments, order.currency, "new_payments")
        attempt = convert.attempt_in(found, request)
        found.raise_if_any()
        step = Step(attempt, instant(request.deadline), request.validate_only, request.must_cover_total)
        made = await self._reserve(order, step, drafts)
        return pb.ReservePaymentsResponse(
            state=convert.state_out(made.state),
            problems=[convert.problem_out(p) for p in made.judgment.problems],
            needs_authorization=made.judgment.needs_authorization,
            payments=[payment_out(p) for p in made.judgment.payments],
        )

    async def AuthorizePayments(self, request: pb.AuthorizePaymentsRequest, context: Any) -> pb.AuthorizePaymentsResponse:
        made = await self._authorize(convert.key_in(request.order_key), request.attempt, instant(request.deadline))
        return pb.AuthorizePaymentsResponse(
            state=convert.state_out(made.state),
            problems=[convert.problem_out(p) for p in made.problems],
            pending=made.pending,
            payments=[payment_out(p) for p in made.payments],
        )

    async def ConfirmPayments(self, request: pb.ConfirmPaymentsRequest, context: Any) -> pb.ConfirmPaymentsResponse:
        state, payments = await self._end.confirm(*_ended(request))
        return pb.ConfirmPaymentsResponse(state=convert.state_out(state), payments=[payment_out(p) for p in payments])

    async def ReleasePayments(self, request: pb.ReleasePaymentsRequest, context: Any) -> pb.ReleasePaymentsResponse:
        return pb.ReleasePaymentsResponse(state=convert.state_out(await self._end.release(*_ended(request))))
