"""Serves waybill.fulfillment.v1.ReservationService: convert, call, convert. For the order service only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libs.errors import Violations
from libs.protoconv import instant
from libs.rpc.call import current
from services.fulfillment.application.customers import customer_of
from services.fulfillment.application.sourcing.plan_sourcing import PlanSourcing
from services.fulfillment.application.sourcing.release_reservation import ReleaseReservation
from services.fulfillment.application.sourcing.reserve_stock import ReserveStock
from services.fulfillment.application.supplier_orders.cancel_order import CancelOrder
from services.fulfillment.application.supplier_orders.change_order import ApplyChange, ReleaseChange, TryChange
from services.fulfillment.application.supplier_orders.confirm_reservation import ConfirmReservation
from services.fulfillment.application.supplier_orders.forward_order import ForwardOrder
from services.fulfillment.application.supplier_orders.freeze_order import FreezeOrder
from services.fulfillment.application.supplier_orders.set_order_hold import SetOrderHold
from services.fulfillment.application.supplier_orders.unfreeze_order import UnfreezeOrder
from services.fulfillment.contract.reports import canceled_out, supplier_order_out
from services.fulfillment.domain.supplier_orders.actions.place import Forwarding
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from services.fulfillment.rpc.sourcing.messages import assignment_out, problem_out
from services.fulfillment.rpc.sourcing.reservation_requests import demand_in, lines_in, order_key_in, ranking_in, snapshot_in
from waybill.fulfillment.v1 import reasons, reservation_service_pb2_grpc, sourcing_pb2, supplier_order_pb2
from waybill.fulfillment.v1 import reservation_service_pb2 as pb


def _out(orders: Sequence[SupplierOrder]) -> list[supplier_order_pb2.SupplierOrder]:
    return [supplier_order_out(o) for o in orders]


def _order_key(order_key: str) -> str:
    found = Violations()
    order_key_in(found, order_key)
    found.raise_if_any()
    return order_key


def _change(request: pb.TryChangeRequest | pb.ApplyChangeRequest | pb.ReleaseChangeRequest) -> str:
    found = Violations()
    order_key_in(found, request.order_key, request.attempt)
    found.raise_if_any()
    return request.order_key


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the methods call."""

    plan: PlanSourcing
    reserve: ReserveStock
    confirm: ConfirmReservation
    release: ReleaseReservation
    forward: ForwardOrder
    freeze: FreezeOrder
    unfreeze: UnfreezeOrder
    cancel: CancelOrder
    hold: SetOrderHold
    try_change: TryChange
    apply_change: ApplyChange
    release_change: ReleaseChange


class ReservationServicer(reservation_service_pb2_grpc.ReservationServiceServicer):
    """The steps of submit, forward and cancel."""

    def __init__(self, use: UseCases) -> None:
        self._use = use

    async def PlanSourcing(self, request: pb.PlanSourcingRequest, context: Any) -> pb.PlanSourcingResponse:
        """Where every unit would come from."""
        found = Violations()
        lines, ranking = lines_in(found, request.lines), ranking_in(found, request.strategy, request.stages)
        found.raise_if_any()
        customer = customer_of(current().caller, request.buyer_id, request.user_id)
        outcome = await self._use.plan(customer, ranking, lines, request.compare)
        return pb.PlanSourcingResponse(
            assignments=[assignment_out(a) for a in outcome.assignments],
            problems=[problem_out(p) for p in outcome.problems],
            alternatives=[sourcing_pb2.SourcingPlan(assignments=map(assignment_out, plan)) for plan in outcome.alternatives],
        )

    async def ReserveStock(self, request: pb.ReserveStockRequest, context: Any) -> pb.ReserveStockResponse:
        """Holds stock for an attempt."""
        found = Violations()
        demand = demand_in(found, request, customer_of(current().caller, request.buyer_id, request.user_id))
        found.raise_if_any()
        done = await (self._use.reserve.check(demand) if request.validate_only else self._use.reserve(demand))
        state = f"RESERVATION_STATE_{done.state.value if done.state else 'UNSPECIFIED'}"
        return pb.ReserveStockResponse(
            state=pb.ReservationState.Value(state),
            assignments=[assignment_out(a, with_origin=False) for a in done.assignments],
            problems=[problem_out(p) for p in done.problems],
        )

    async def ConfirmReservation(self, request: pb.ConfirmReservationRequest, context: Any) -> pb.ConfirmReservationResponse:
        """Makes it permanent and creates the supplier orders."""
        found = Violations()
        order_key_in(found, request.order_key, request.attempt)
        if request.order.order_key != request.order_key:
            found.add("order.order_key", reasons.FIELD_INVALID, "is another order's")
        found.raise_if_any()
        within = request.accept_within.ToTimedelta() if request.HasField("accept_within") else None
        kept = frozenset(request.kept_line_item_ids)
        orders = await self._use.confirm(snapshot_in(request.order), request.attempt, Forwarding(request.forward, kept), within)
        return pb.ConfirmReservationResponse(state=pb.RESERVATION_STATE_CONFIRMED, supplier_orders=_out(orders))

    async def ReleaseReservation(self, request: pb.ReleaseReservationRequest, context: Any) -> pb.ReleaseReservationResponse:
        """Ends it."""
        found = Violations()
        order_key_in(found, request.order_key, request.attempt)
        found.raise_if_any()
        state = await self._use.release(request.order_key, request.attempt)
        return pb.ReleaseReservationResponse(state=pb.ReservationState.Value(f"RESERVATION_STATE_{state.value}"))

    async def ForwardOrder(self, request: pb.ForwardOrderRequest, context: Any) -> pb.ForwardOrderResponse:
        """Splits the implicit supplier order."""
        orders = await self._use.forward(_order_key(request.order_key))
        return pb.ForwardOrderResponse(supplier_orders=_out(orders))

    async def FreezeOrder(self, request: pb.FreezeOrderRequest, context: Any) -> pb.FreezeOrderResponse:
        """Keeps everything from shipping."""
        orders = await self._use.freeze(_order_key(request.order_key))
        return pb.FreezeOrderResponse(supplier_orders=_out(orders))

    async def UnfreezeOrder(self, request: pb.UnfreezeOrderRequest, context: Any) -> pb.UnfreezeOrderResponse:
        """Takes a freeze back."""
        orders = await self._use.unfreeze(_order_key(request.order_key))
        return pb.UnfreezeOrderResponse(supplier_orders=_out(orders))

    async def SetOrderHold(self, request: pb.SetOrderHoldRequest, context: Any) -> pb.SetOrderHoldResponse:
        """Holds everything back from shipping, or no longer."""
        found = Violations()
        order_key_in(found, request.order_key)
        found.require("version", request.version >= 1, reasons.VALUE_OUT_OF_RANGE, "is 1 or more")
        found.raise_if_any()
        orders = await self._use.hold(request.order_key, request.held, request.version)
        return pb.SetOrderHoldResponse(supplier_orders=_out(orders))

    async def CancelOrder(self, request: pb.CancelOrderRequest, context: Any) -> pb.CancelOrderResponse:
        """Cancels everything."""
        orders = await self._use.cancel(_order_key(request.order_key))
        return pb.CancelOrderResponse(supplier_orders=_out(orders))

    async def TryChange(self, request: pb.TryChangeRequest, context: Any) -> pb.TryChangeResponse:
        """Freezes what is open."""
        order_key = _change(request)
        found = await self._use.try_change(order_key, request.attempt, instant(request.deadline))
        currency = found.orders[0].currency
        return pb.TryChangeResponse(supplier_orders=_out(found.orders), canceled=canceled_out(found.canceled, currency))

    async def ApplyChange(self, request: pb.ApplyChangeRequest, context: Any) -> pb.ApplyChangeResponse:
        """Cancels what is frozen."""
        return pb.ApplyChangeResponse(supplier_orders=_out(await self._use.apply_change(_change(request), request.attempt)))

    async def ReleaseChange(self, request: pb.ReleaseChangeRequest, context: Any) -> pb.ReleaseChangeResponse:
        """Takes the freeze back."""
        return pb.ReleaseChangeResponse(supplier_orders=_out(await self._use.release_change(_change(request), request.attempt)))
