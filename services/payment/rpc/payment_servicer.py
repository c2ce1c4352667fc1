"""PaymentService."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from libs.errors import Violations, denied
from libs.idempotency.key import RequestKey, key_of
from libs.protoconv import instant, money_in
from libs.rpc import current, require_service
from services import roles
from services.payment.application.authorize_payments import AuthorizePayments
from services.payment.application.end_attempt import EndAttempt
from services.payment.application.lower_payments import LowerPayments
from services.payment.application.move_money import MoveMoney
from services.payment.application.order_payments import OrderPayments
from services.payment.application.replace_payments import ReplacePayments
from services.payment.application.reserve_payments import ReservePayments, Step
from services.payment.application.void_payments import VoidPayments
from services.payment.domain.payment import MAX_PAYMENTS
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
    lower: LowerPayments
    move: MoveMoney
    replace: ReplacePayments


def _key(request: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, request)


def _bare_key(request: pb.CreatePaymentsRequest) -> RequestKey | None:
    """What the buyer asked for: the rest is the order service's, and may have changed when it asks again."""
    if not request.request_id:
        return None
    bare = pb.CreatePaymentsRequest()
    bare.CopyFrom(request)
    bare.ClearField("total")
    bare.ClearField("replacement")
    return _key(bare)


def _payment_admin() -> None:
    caller = current().principal
    caller.require(roles.PAYMENT_ADMIN)
    if not caller.is_seller:
        raise denied(roles.PAYMENT_ADMIN)


def amount_in(found: Violations, request: pb.CapturePaymentRequest | pb.RefundPaymentRequest) -> int | None:
    """How much of a payment is meant; None for all there is."""
    found.check_id("payment_id", request.payment_id)
    amount = None
    if request.HasField("amount"):
        amount = money_in(found, "amount", request.amount, negative=True)
        found.require("amount", amount > 0, "PAYMENT_AMOUNT_NOT_POSITIVE", "must be above zero")
    return amount


def _amount(request: pb.CapturePaymentRequest | pb.RefundPaymentRequest) -> tuple[int | None, str]:
    found = Violations()
    amount = amount_in(found, request)
    found.raise_if_any()
    return amount, request.amount.currency_code


def _ended(request: pb.ConfirmPaymentsRequest | pb.ReleasePaymentsRequest) -> tuple[uuid.UUID, int]:
    found = Violations()
    attempt = convert.attempt_in(found, request)
    found.raise_if_any()
    return convert.key_in(request.order_key), attempt


class PaymentServicer(pb_grpc.PaymentServiceServicer):
    """Converts, calls, converts."""

    def __init__(self, use: PaymentUseCases) -> None:
        self._use = use

    async def CreatePayments(self, request: pb.CreatePaymentsRequest, context: Any) -> pb.CreatePaymentsResponse:
        require_service("order")
        found = Violations()
        order = convert.order_in(found, request)
        drafts = convert.drafts_in(found, request.payments, order.currency)
        found.require("payments", bool(drafts), "FIELD_REQUIRED", "at least one payment")
        found.raise_if_any()
        create = self._use.replace if request.replacement else self._use.order_payments.create
        made = await create(order, drafts, _bare_key(request))
        return pb.CreatePaymentsResponse(payments=[convert.payment_out(p) for p in made])

    async def RemovePayments(self, request: pb.RemovePaymentsRequest, context: Any) -> pb.RemovePaymentsResponse:
        require_service("order")
        key = convert.key_in(request.order_key)
        found = Violations()
        count = len(request.payment_ids)
        found.require("payment_ids", 0 < count <= MAX_PAYMENTS, "TOO_MANY_ITEMS", f"1 to {MAX_PAYMENTS} payments")
        for i, id in enumerate(request.payment_ids[:MAX_PAYMENTS]):
            found.check_id(f"payment_ids[{i}]", id)
        found.raise_if_any()
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
        by_order: dict[uuid.UUID, list[Any]] = {key: [] for key in keys}
        for p in payments:
            by_order[p.order_key].append(convert.payment_out(p, rows.get(p.id, ())))
        return pb.ListPaymentsResponse(
            orders=[pb.OrderPayments(order_key=str(key), payments=mine) for key, mine in by_order.items()]
        )

    async def ReservePayments(self, request: pb.ReservePaymentsRequest, context: Any) -> pb.ReservePaymentsResponse:
        require_service("order")
        found = Violations()
        order = convert.order_in(found, request)
        drafts = convert.drafts_in(found, request.new_payments, order.currency, "new_payments")
        attempt = convert.attempt_in(found, request)
        found.raise_if_any()
        step = Step(attempt, instant(request.deadline), request.validate_only, request.must_cover_total)
        made = await self._use.reserve(order, step, drafts)
        return pb.ReservePaymentsResponse(
            state=convert.state_out(made.state),
            problems=[convert.problem_out(p) for p in made.judgment.problems],
            needs_authorization=made.judgment.needs_authorization,
            payments=[convert.payment_out(p) for p in made.judgment.payments],
        )

    async def AuthorizePayments(self, request: pb.AuthorizePaymentsRequest, context: Any) -> pb.AuthorizePaymentsResponse:
        require_service("order")
        made = await self._use.authorize(convert.key_in(request.order_key), request.attempt, instant(request.deadline))
        return pb.AuthorizePaymentsResponse(
            state=convert.state_out(made.state),
            problems=[convert.problem_out(p) for p in made.problems],
            pending=made.pending,
            payments=[convert.payment_out(p) for p in made.payments],
        )

    async def ConfirmPayments(self, request: pb.ConfirmPaymentsRequest, context: Any) -> pb.ConfirmPaymentsResponse:
        require_service("order")
        state, payments = await self._use.end.confirm(*_ended(request))
        return pb.ConfirmPaymentsResponse(state=convert.state_out(state), payments=[convert.payment_out(p) for p in payments])

    async def ReleasePayments(self, request: pb.ReleasePaymentsRequest, context: Any) -> pb.ReleasePaymentsResponse:
        require_service("order")
        return pb.ReleasePaymentsResponse(state=convert.state_out(await self._use.end.release(*_ended(request))))

    async def VoidPayments(self, request: pb.VoidPaymentsRequest, context: Any) -> pb.VoidPaymentsResponse:
        require_service("order")
        payments = await self._use.void(convert.key_in(request.order_key))
        return pb.VoidPaymentsResponse(payments=[convert.payment_out(p) for p in payments])

    async def LowerPayments(self, request: pb.LowerPaymentsRequest, context: Any) -> pb.LowerPaymentsResponse:
        require_service("order")
        found = Violations()
        attempt = convert.attempt_in(found, request)
        due = convert.due_in(found, request)
        found.raise_if_any()
        payments = await self._use.lower(convert.key_in(request.order_key), attempt, due)
        return pb.LowerPaymentsResponse(payments=[convert.payment_out(p) for p in payments])

    async def CapturePayment(self, request: pb.CapturePaymentRequest, context: Any) -> pb.CapturePaymentResponse:
        _payment_admin()
        made, rows = await self._use.move.capture(request.payment_id, *_amount(request), _key(request))
        return pb.CapturePaymentResponse(payment=convert.payment_out(made, rows))

    async def RefundPayment(self, request: pb.RefundPaymentRequest, context: Any) -> pb.RefundPaymentResponse:
        _payment_admin()
        made, rows = await self._use.move.refund(request.payment_id, *_amount(request), _key(request))
        return pb.RefundPaymentResponse(payment=convert.payment_out(made, rows))

    async def VoidPayment(self, request: pb.VoidPaymentRequest, context: Any) -> pb.VoidPaymentResponse:
        _payment_admin()
        found = Violations()
        found.check_id("payment_id", request.payment_id)
        found.raise_if_any()
        made, rows = await self._use.move.void(request.payment_id, _key(request))
        return pb.VoidPaymentResponse(payment=convert.payment_out(made, rows))
