"""Payment, as the order service asks it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.money_pb2 import Money

from libs.protoconv import money_micros, money_out, time_out
from libs.rpc.peers import Peers
from services.order.application.peers import PaymentTry, RedirectDocument, StartedPayment
from services.order.application.records import Deleted, PaymentDocument
from services.order.contract.problems import problem_in
from services.order.domain.model import Order
from services.order.domain.policy import Policy
from services.order.domain.status import OrderStatus
from waybill.payment.v1 import order_payment_service_pb2 as order_pb
from waybill.payment.v1 import order_payment_service_pb2_grpc as order_grpc
from waybill.payment.v1 import payment_pb2
from waybill.payment.v1 import payment_reservation_service_pb2 as attempt_pb
from waybill.payment.v1 import payment_reservation_service_pb2_grpc as attempt_grpc


class PaymentClient:
    """Payments of an order and the steps of submit."""

    def __init__(self, peers: Peers, authorize_timeout: float) -> None:
        """`authorize_timeout` is in seconds: gateways take longer than services."""
        self._orders: Any = peers.stub("payment", order_grpc.OrderPaymentServiceStub)
        self._authorize_timeout = authorize_timeout
        self._attempts: Any = peers.stub("payment", attempt_grpc.PaymentReservationServiceStub)

    async def create(self, order: Order, payments: Sequence[PaymentDocument], request_id: str) -> list[PaymentDocument]:
        """Adds payments; passes the total if there is one, currency, user, and whether the order is open."""
        answer: order_pb.CreatePaymentsResponse = await self._orders.CreatePayments(
            order_pb.CreatePaymentsRequest(
                order_key=str(order.key),
                order_id=order.id,
                buyer_id=order.buyer_id,
                user_id=order.user.id,
                guest=order.guest,
                total=_total(order),
                currency=order.currency,
                payments=[payment_pb2.Payment.FromString(p) for p in payments],
                request_id=request_id,
                replacement=order.status is OrderStatus.OPEN,
                order_version=order.version,
                payment_types=order.policy.payment_types,
                may_exceed_total=order.policy.may_exceed_total,
            )
        )
        return [_document(p) for p in answer.payments]

    async def update(self, order: Order, payment: PaymentDocument, fields: Sequence[str], request_id: str) -> PaymentDocument:
        """Changes a payment; passes the total if there is one, currency and user."""
        answer: order_pb.UpdatePaymentResponse = await self._orders.UpdatePayment(
            order_pb.UpdatePaymentRequest(
                order_key=str(order.key),
                order_id=order.id,
                buyer_id=order.buyer_id,
                user_id=order.user.id,
                guest=order.guest,
                total=_total(order),
                currency=order.currency,
                payment=payment_pb2.Payment.FromString(payment),
                update_mask=FieldMask(paths=fields),
                request_id=request_id,
                payment_types=order.policy.payment_types,
                may_exceed_total=order.policy.may_exceed_total,
            )
        )
        return _document(answer.payment)

    async def start(self, order: Order, payment_id: str, return_url: str, request_id: str) -> StartedPayment:
        """Begins the authorization of a payment that waits for its buyer."""
        answer: order_pb.StartPaymentResponse = await self._orders.StartPayment(
            order_pb.StartPaymentRequest(
                order_key=str(order.key),
                order_id=order.id,
                buyer_id=order.buyer_id,
                user_id=order.user.id,
                guest=order.guest,
                total=money_out(order.total, order.currency),
                payment_types=order.policy.payment_types,
                payment_id=payment_id,
                return_url=return_url,
                request_id=request_id,
                may_exceed_total=order.policy.may_exceed_total,
            ),
            timeout=self._authorize_timeout,
        )
        return StartedPayment(RedirectDocument(answer.redirect.SerializeToString()), answer.begun)

    async def remove(self, order: Order, payment_ids: Sequence[str], request_id: str) -> None:
        """Removes payments."""
        await self._orders.RemovePayments(
            order_pb.RemovePaymentsRequest(order_key=str(order.key), payment_ids=payment_ids, request_id=request_id)
        )

    async def delete(self, order: Order) -> None:
        """Removes all payments of an order that is to be deleted as it is."""
        await self._orders.DeletePayments(_deletion(order))

    async def prepare_deletions(self, orders: Sequence[Order]) -> dict[uuid.UUID, str]:
        """Takes nothing yet."""
        return await self._delete_all([_deletion(order) for order in orders], order_pb.DELETION_STEP_PREPARE)

    async def finish_deletions(self, deleted: Sequence[Deleted]) -> dict[uuid.UUID, str]:
        """Only guests' cards are noted for an order, so that its id finds no others."""
        gone = [
            order_pb.DeletePaymentsRequest(order_key=str(one.key), order_version=one.version, guest_order_id=one.id)
            for one in deleted
        ]
        return await self._delete_all(gone, order_pb.DELETION_STEP_FINISH)

    async def _delete_all(self, orders: Sequence[order_pb.DeletePaymentsRequest], step: Any) -> dict[uuid.UUID, str]:
        request = order_pb.BatchDeletePaymentsRequest(orders=orders, step=step)
        answer: order_pb.BatchDeletePaymentsResponse = await self._orders.BatchDeletePayments(request)
        return {uuid.UUID(one.order_key): one.reason for one in answer.kept}

    async def of_orders(self, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[PaymentDocument]]:
        """Payments by order."""
        answer: order_pb.ListPaymentsResponse = await self._orders.ListPayments(
            order_pb.ListPaymentsRequest(order_keys=[str(key) for key in keys])
        )
        return {uuid.UUID(o.order_key): [_document(p) for p in o.payments] for o in answer.orders}

    async def reserve(
        self,
        order: Order,
        attempt: int,
        deadline: datetime,
        validate_only: bool,
        policy: Policy,
        new_payments: Sequence[PaymentDocument],
    ) -> PaymentTry:
        """First wave."""
        answer: attempt_pb.ReservePaymentsResponse = await self._attempts.ReservePayments(
            attempt_pb.ReservePaymentsRequest(
                order_key=str(order.key),
                attempt=attempt,
                deadline=time_out(deadline),
                validate_only=validate_only,
                order_id=order.id,
                buyer_id=order.buyer_id,
                user_id=order.user.id,
                guest=order.guest,
                total=money_out(order.total, order.currency),
                must_cover_total=policy.must_cover_total,
                payment_types=policy.payment_types,
                may_exceed_total=policy.may_exceed_total,
                new_payments=[payment_pb2.Payment.FromString(p) for p in new_payments],
            )
        )
        return PaymentTry([problem_in(p) for p in answer.problems], answer.needs_authorization)

    async def authorize(self, key: uuid.UUID, attempt: int, deadline: datetime) -> PaymentTry:
        """Second wave."""
        answer: attempt_pb.AuthorizePaymentsResponse = await self._attempts.AuthorizePayments(
            attempt_pb.AuthorizePaymentsRequest(order_key=str(key), attempt=attempt, deadline=time_out(deadline)),
            timeout=self._authorize_timeout,
        )
        return PaymentTry([problem_in(p) for p in answer.problems], pending=answer.pending)

    async def confirm(self, key: uuid.UUID, attempt: int) -> None:
        """Makes it permanent."""
        await self._attempts.ConfirmPayments(attempt_pb.ConfirmPaymentsRequest(order_key=str(key), attempt=attempt))

    async def release(self, key: uuid.UUID, attempt: int) -> None:
        """Ends it."""
        await self._attempts.ReleasePayments(attempt_pb.ReleasePaymentsRequest(order_key=str(key), attempt=attempt))

    async def void(self, key: uuid.UUID) -> None:
        """Undoes confirmed payments."""
        await self._orders.VoidPayments(order_pb.VoidPaymentsRequest(order_key=str(key)))

    async def lower(self, order: Order, attempt: int) -> None:
        """Lowers what the payments stand for to what is due."""
        await self._orders.LowerPayments(
            order_pb.LowerPaymentsRequest(order_key=str(order.key), attempt=attempt, due=money_out(order.due, order.currency))
        )

    async def capture_shipped(self, key: uuid.UUID, shipped: int, currency: str) -> int:
        """Takes what has shipped; what is not taken yet."""
        answer: order_pb.CaptureShippedResponse = await self._orders.CaptureShipped(
            order_pb.CaptureShippedRequest(order_key=str(key), shipped=money_out(shipped, currency))
        )
        return money_micros(answer.missing)


def _total(order: Order) -> Money | None:
    """None while the order is not calculated: what it says then is nothing, or of an older content."""
    return money_out(order.total, order.currency) if order.calculated else None


def _deletion(order: Order) -> order_pb.DeletePaymentsRequest:
    guests = order.id if order.guest else ""
    return order_pb.DeletePaymentsRequest(order_key=str(order.key), order_version=order.version, guest_order_id=guests)


def _document(payment: payment_pb2.Payment) -> PaymentDocument:
    return PaymentDocument(payment.SerializeToString())
