"""OrderPaymentService: for services only."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from libs.errors import Violations
from libs.idempotency.key import RequestKey, key_of
from libs.protoconv import money_out, text_in
from libs.rpc import current
from services.payment.application.money.capture_shipped import CaptureShipped
from services.payment.application.money.lower_payments import LowerPayments
from services.payment.application.money.void_payments import VoidPayments
from services.payment.application.payments.delete_payments import DeletePayments, Doomed, Step
from services.payment.application.payments.order_payments import OrderPayments
from services.payment.application.payments.replace_payments import ReplacePayments
from services.payment.application.payments.update_payment import UpdatePayment
from services.payment.application.redirects.start_payment import StartPayment
from services.payment.contract.payments import payment_out
from services.payment.contract.redirects import redirect_out
from services.payment.domain.payments.payment import MAX_PAYMENTS
from services.payment.rpc import convert
from waybill.payment.v1 import order_payment_service_pb2 as pb
from waybill.payment.v1 import order_payment_service_pb2_grpc as pb_grpc
from waybill.payment.v1 import reasons

MAX_ORDERS = 1_000
MAX_RETURN_URL = 2_000
_STEPS = {pb.DELETION_STEP_UNSPECIFIED: Step.WHOLE, pb.DELETION_STEP_PREPARE: Step.PREPARE, pb.DELETION_STEP_FINISH: Step.FINISH}


@dataclass(frozen=True, slots=True)
class OrderPaymentUseCases:
    """What the servicer calls."""

    order_payments: OrderPayments
    update: UpdatePayment
    replace: ReplacePayments
    void: VoidPayments
    lower: LowerPayments
    capture_shipped: CaptureShipped
    delete: DeletePayments
    start: StartPayment


def _key(request: Any) -> RequestKey | None:
    return key_of(current().principal, current().method, request)


def _bare_key(request: pb.CreatePaymentsRequest | pb.UpdatePaymentRequest | pb.StartPaymentRequest) -> RequestKey | None:
    """What the buyer asked for: the rest is the order service's, and may have changed when it asks again."""
    if not request.request_id:
        return None
    bare: Any = type(request)()
    bare.CopyFrom(request)
    for name in ("total", "currency", "replacement", "order_version", "payment_types", "may_exceed_total"):
        if name in bare.DESCRIPTOR.fields_by_name:
            bare.ClearField(name)
    return _key(bare)


class OrderPaymentServicer(pb_grpc.OrderPaymentServiceServicer):
    """Payments of orders, for the order service."""

    def __init__(self, use: OrderPaymentUseCases, redirect_lifetime: timedelta) -> None:
        """`redirect_lifetime` is how long a buyer has on a provider's page."""
        self._use = use
        self._lifetime = redirect_lifetime

    async def CreatePayments(self, request: pb.CreatePaymentsRequest, context: Any) -> pb.CreatePaymentsResponse:
        found = Violations()
        version = convert.version_in(found, request)
        order = replace(convert.order_in(found, request), version=version, caller=current().caller)
        drafts = convert.drafts_in(found, request.payments, order.currency)
        found.require("payments", bool(drafts), reasons.FIELD_REQUIRED, "at least one payment")
        found.raise_if_any()
        create = self._use.replace if request.replacement else self._use.order_payments.create
        made = await create(order, drafts, _bare_key(request))
        return pb.CreatePaymentsResponse(payments=[payment_out(p) for p in made])

    async def UpdatePayment(self, request: pb.UpdatePaymentRequest, context: Any) -> pb.UpdatePaymentResponse:
        found = Violations()
        order = replace(convert.order_in(found, request), caller=current().caller)
        edit = convert.edit_in(found, request, order.currency)
        found.raise_if_any()
        made = await self._use.update(order, edit, _bare_key(request))
        return pb.UpdatePaymentResponse(payment=payment_out(made))

    async def RemovePayments(self, request: pb.RemovePaymentsRequest, context: Any) -> pb.RemovePaymentsResponse:
        key = convert.key_in(request.order_key)
        found = Violations()
        count = len(request.payment_ids)
        found.require("payment_ids", 0 < count <= MAX_PAYMENTS, reasons.TOO_MANY_ITEMS, f"1 to {MAX_PAYMENTS} payments")
        for i, id in enumerate(request.payment_ids[:MAX_PAYMENTS]):
            found.check_id(f"payment_ids[{i}]", id)
        found.raise_if_any()
        await self._use.order_payments.remove(key, list(request.payment_ids), _key(request))
        return pb.RemovePaymentsResponse()

    async def DeletePayments(self, request: pb.DeletePaymentsRequest, context: Any) -> pb.DeletePaymentsResponse:
        found = Violations()
        version = convert.version_in(found, request)
        found.raise_if_any()
        kept = await self._use.delete([Doomed(convert.key_in(request.order_key), version, request.guest_order_id)])
        for error in kept.values():
            raise error
        return pb.DeletePaymentsResponse()

    async def BatchDeletePayments(self, request: pb.BatchDeletePaymentsRequest, context: Any) -> pb.BatchDeletePaymentsResponse:
        found = Violations()
        few = len(request.orders) <= MAX_ORDERS
        found.require("orders", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_ORDERS:,}")
        for i, one in enumerate(request.orders[:MAX_ORDERS]):
            at = f"orders[{i}].order_version"
            found.require(at, one.order_version >= 1, reasons.VALUE_OUT_OF_RANGE, "must be 1 or more")
        found.require("step", request.step in _STEPS, reasons.FIELD_INVALID, "is no step of a deletion")
        found.raise_if_any()
        doomed = [Doomed(convert.key_in(one.order_key), one.order_version, one.guest_order_id) for one in request.orders]
        kept = await self._use.delete(doomed, _STEPS[request.step])
        return pb.BatchDeletePaymentsResponse(
            kept=[pb.KeptPayments(order_key=str(key), reason=error.reason) for key, error in kept.items()]
        )

    async def StartPayment(self, request: pb.StartPaymentRequest, context: Any) -> pb.StartPaymentResponse:
        found = Violations()
        order = replace(convert.order_in(found, request), caller=current().caller)
        found.check_id("payment_id", request.payment_id)
        url = text_in(found, "return_url", request.return_url, MAX_RETURN_URL)
        found.require("return_url", bool(url), reasons.FIELD_REQUIRED, "where the buyer is sent back to")
        found.raise_if_any()
        row, begun = await self._use.start(order, request.payment_id, url, self._lifetime, _bare_key(request))
        return pb.StartPaymentResponse(redirect=redirect_out(row), begun=begun)

    async def ListPayments(self, request: pb.ListPaymentsRequest, context: Any) -> pb.ListPaymentsResponse:
        found = Violations()
        few = len(request.order_keys) <= MAX_ORDERS
        found.require("order_keys", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_ORDERS:,}")
        found.raise_if_any()
        keys = [convert.key_in(key) for key in request.order_keys]
        by_order: dict[uuid.UUID, list[Any]] = {key: [] for key in keys}
        for one in await self._use.order_payments.list(keys):
            by_order[one.payment.order_key].append(payment_out(one.payment, one.transactions, one.redirect))
        return pb.ListPaymentsResponse(
            orders=[pb.OrderPayments(order_key=str(key), payments=mine) for key, mine in by_order.items()]
        )

    async def VoidPayments(self, request: pb.VoidPaymentsRequest, context: Any) -> pb.VoidPaymentsResponse:
        payments = await self._use.void(convert.key_in(request.order_key))
        return pb.VoidPaymentsResponse(payments=[payment_out(p) for p in payments])

    async def LowerPayments(self, request: pb.LowerPaymentsRequest, context: Any) -> pb.LowerPaymentsResponse:
        found = Violations()
        attempt = convert.attempt_in(found, request)
        due = convert.due_in(found, request)
        found.raise_if_any()
        payments = await self._use.lower(convert.key_in(request.order_key), attempt, due)
        return pb.LowerPaymentsResponse(payments=[payment_out(p) for p in payments])

    async def CaptureShipped(self, request: pb.CaptureShippedRequest, context: Any) -> pb.CaptureShippedResponse:
        found = Violations()
        shipped = convert.shipped_in(found, request)
        found.raise_if_any()
        payments, missing = await self._use.capture_shipped(convert.key_in(request.order_key), shipped)
        return pb.CaptureShippedResponse(
            missing=money_out(missing, request.shipped.currency_code), payments=[payment_out(p) for p in payments]
        )
