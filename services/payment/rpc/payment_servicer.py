"""PaymentService."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from libs import idempotency
from libs.auth import roles
from libs.errors import Violations, denied
from libs.protoconv import instant, money_in
from libs.rpc import current, require_service
from services.payment.application.authorize_payments import AuthorizePayments
from services.payment.application.end_attempt import EndAttempt
from services.payment.application.move_money import MoveMoney
from services.payment.application.order_payments import OrderPayments
from services.payment.application.reserve_payments import ReservePayments, Step
from services.payment.application.void_payments import VoidPayments
from services.payment.rpc import convert
from waybill.payment.v1 import payment_service_pb2 as pb
from waybill.payment.v1 import payment_service_pb2_grpc as pb_grpc

MAX_ORDERS = 1_000


@dataclass(frozen=True, slots=True)
class PaymentUseCases:
    """What the servicer calls."""

    order_payments: OrderPayments
    reserve: ReservePayments
    authorize: AuthorizePayments
    end: EndAttempt
    void: VoidPayments
    move: MoveMoney


def _key(request: Any) -> idempotency.RequestKey | None:
    return idempotency.key_of(current().principal, current().method.rsplit("/", 1)[1], request)


def _payment_admin() -> None:
    caller = current().principal
    caller.require(roles.PAYMENT_ADMIN)
    if not caller.is_seller:
        raise denied(roles.PAYMENT_ADMIN)


def _amount(request: Any) -> int | None:
    if not request.HasField("amount"):
        return None
    found = Violations()
    amount = money_in(found, "amount", request.amount)
    found.raise_if_any()
    return amount


class PaymentServicer(pb_grpc.PaymentServiceServicer):
    """Converts, calls, converts."""

    def __init__(self, use: PaymentUseCases) -> None:
        self._use = use

    async def CreatePayments(self, request: pb.CreatePaymentsRequest, context: Any) -> pb.CreatePaymentsResponse:
        require_service("order")
        found = Violations()
        order = convert.order_in(found, request)
        drafts = convert.drafts_in(found, request.payments, order.currency)
        found.raise_if_any()
        made = await self._use.order_payments.create(order, drafts, found, _key(request))
        return pb.CreatePaymentsResponse(payments=[convert.payment_out(p) for p in made])

    async def RemovePayments(self, request: pb.RemovePaymentsRequest, context: Any) -> pb.RemovePaymentsResponse:
        require_service("order")
        key = convert.key_in(request.order_key)
        await self._use.order_payments.remove(key, list(request.payment_ids), _key(request))
        return pb.RemovePaymentsResponse()

    async def ListPayments(self, request: pb.ListPaymentsRequest, context: Any) -> pb.ListPaymentsResponse:
        require_service("order")
        found = Violations()
        few = len(request.order_keys) <= MAX_ORDERS
        found.require("order_keys", few, "TOO_MANY_ITEMS", f"at most {MAX_ORDERS:,}")
        found.raise_if_any()
        keys = [convert.key_in(key) for key in request.order_keys]
        payments, rows = await self._use.order_payments.list(keys)
        answer = pb.ListPaymentsResponse()
        for key in keys:
            mine = [convert.payment_out(p, rows.get(p.id, ())) for p in payments if p.order_key == key]
            answer.orders.add(order_key=str(key), payments=mine)
        return answer

    async def ReservePayments(self, request: pb.ReservePaymentsRequest, context: Any) -> pb.ReservePaymentsResponse:
        require_service("order")
        found = Violations()
        order = convert.order_in(found, request)
        drafts = convert.drafts_in(found, request.new_payments, order.currency)
        found.raise_if_any()
        step = Step(
            request.attempt, instant(request.deadline), request.validate_only, request.must_cover_total
        )
        made = await self._use.reserve(order, step, drafts, found)
        return pb.ReservePaymentsResponse(
            state=convert.state_out(made.state),
            problems=[convert.problem_out(p) for p in made.problems],
            needs_authorization=made.needs_authorization,
            payments=[convert.payment_out(p) for p in made.payments],
        )

    async def AuthorizePayments(
        self, request: pb.AuthorizePaymentsRequest, context: Any
    ) -> pb.AuthorizePaymentsResponse:
        require_service("order")
        made = await self._use.authorize(convert.key_in(request.order_key), request.attempt)
        return pb.AuthorizePaymentsResponse(
            state=convert.state_out(made.state),
            problems=[convert.problem_out(p) for p in made.problems],
            pending=made.pending,
            payments=[convert.payment_out(p) for p in made.payments],
        )

    async def ConfirmPayments(self, request: pb.ConfirmPaymentsRequest, context: Any) -> pb.ConfirmPaymentsResponse:
        require_service("order")
        state, payments = await self._use.end.confirm(convert.key_in(request.order_key), request.attempt)
        return pb.ConfirmPaymentsResponse(
            state=convert.state_out(state), payments=[convert.payment_out(p) for p in payments]
        )

    async def ReleasePayments(self, request: pb.ReleasePaymentsRequest, context: Any) -> pb.ReleasePaymentsResponse:
        require_service("order")
        state = await self._use.end.release(convert.key_in(request.order_key), request.attempt)
        return pb.ReleasePaymentsResponse(state=convert.state_out(state))

    async def VoidPayments(self, request: pb.VoidPaymentsRequest, context: Any) -> pb.VoidPaymentsResponse:
        require_service("order")
        payments = await self._use.void(convert.key_in(request.order_key))
        return pb.VoidPaymentsResponse(payments=[convert.payment_out(p) for p in payments])

    async def CapturePayment(self, request: pb.CapturePaymentRequest, context: Any) -> pb.CapturePaymentResponse:
        _payment_admin()
        made = await self._use.move.capture(request.payment_id, _amount(request), _key(request))
        return pb.CapturePaymentResponse(payment=convert.payment_out(made))

    async def RefundPayment(self, request: pb.RefundPaymentRequest, context: Any) -> pb.RefundPaymentResponse:
        _payment_admin()
        made = await self._use.move.refund(request.payment_id, _amount(request), _key(request))
        return pb.RefundPaymentResponse(payment=convert.payment_out(made))
