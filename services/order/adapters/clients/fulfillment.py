"""Fulfillment, as the order service asks it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from google.protobuf.duration_pb2 import Duration

from libs.protoconv import address_out, address_plain, instant, money_micros, money_out, time_out, xp_out
from libs.rpc.peers import Peers
from services.order.application.records import Reports
from services.order.contract.problems import problem_in
from services.order.contract.reports import reports_of
from services.order.domain.checkout.freight import Plan
from services.order.domain.checkout.worksheet import Assignment, Worksheet
from services.order.domain.model import CanceledAmounts, Line, Order, Problem
from services.order.domain.policy import AutoForward
from services.order.domain.submission.forwarding import kept_back
from waybill.fulfillment.v1 import reservation_service_pb2 as pb
from waybill.fulfillment.v1 import reservation_service_pb2_grpc as pb_grpc
from waybill.fulfillment.v1 import sourcing_pb2, supplier_order_pb2
from waybill.type.v1.address_pb2 import Address


class FulfillmentClient:
    """Sourcing, the steps of submit, forward, cancel and change."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("fulfillment", pb_grpc.ReservationServiceStub)

    async def plan(self, order: Order, lines: Sequence[Line], compare: bool = False) -> tuple[tuple[Plan, ...], list[Problem]]:
        """Where every unit would come from: one plan, and others after it where the freight decides or they are compared."""
        answer: pb.PlanSourcingResponse = await self._stub.PlanSourcing(
            pb.PlanSourcingRequest(
                strategy=order.policy.sourcing_strategy,
                stages=order.policy.sourcing_stages,
                lines=[_line(line) for line in lines],
                buyer_id=order.buyer_id,
                user_id=order.user.id,
                compare=compare,
            )
        )
        plans = (answer.assignments, *(other.assignments for other in answer.alternatives))
        return tuple(tuple(map(_assignment, plan)) for plan in plans), [problem_in(p) for p in answer.problems]

    async def reserve(
        self,
        order: Order,
        lines: Sequence[Line],
        plan: Sequence[Assignment],
        attempt: int,
        deadline: datetime,
        validate_only: bool,
    ) -> list[Problem]:
        """Reserves as planned, or says why not."""
        answer: pb.ReserveStockResponse = await self._stub.ReserveStock(
            pb.ReserveStockRequest(
                order_key=str(order.key),
                attempt=attempt,
                deadline=time_out(deadline),
                validate_only=validate_only,
                strategy=order.policy.sourcing_strategy,
                stages=order.policy.sourcing_stages,
                lines=[_line(line) for line in lines],
                plan=[
                    sourcing_pb2.SourcingAssignment(
                        line_item_id=a.line_item_id,
                        product_id=a.product_id,
                        quantity=a.quantity,
                        supplier_id=a.supplier_id,
                        ship_from_id=a.ship_from_id,
                        inventory_record_id=a.inventory_record_id,
                    )
                    for a in plan
                ],
                buyer_id=order.buyer_id,
                user_id=order.user.id,
            )
        )
        return [problem_in(p) for p in answer.problems]

    async def confirm(self, order: Order, lines: Sequence[Line], worksheet: Worksheet, attempt: int) -> Reports:
        """Makes the reservation permanent; the supplier orders that were made."""
        answer: pb.ConfirmReservationResponse = await self._stub.ConfirmReservation(
            pb.ConfirmReservationRequest(
                order_key=str(order.key),
                attempt=attempt,
                order=_snapshot(order, lines, worksheet),
                forward=order.policy.auto_forward is not AutoForward.NONE,
                accept_within=_within(order.policy.accept_within_seconds),
                kept_line_item_ids=kept_back(order, lines),
            )
        )
        return reports_of(answer.supplier_orders)

    async def release(self, key: uuid.UUID, attempt: int) -> None:
        """Ends the attempt's reservation."""
        await self._stub.ReleaseReservation(pb.ReleaseReservationRequest(order_key=str(key), attempt=attempt))

    async def forward(self, key: uuid.UUID) -> Reports:
        """One supplier order per supplier."""
        answer = await self._stub.ForwardOrder(pb.ForwardOrderRequest(order_key=str(key)))
        return reports_of(answer.supplier_orders)

    async def freeze(self, key: uuid.UUID) -> Reports:
        """Nothing of it can ship."""
        return reports_of((await self._stub.FreezeOrder(pb.FreezeOrderRequest(order_key=str(key)))).supplier_orders)

    async def unfreeze(self, key: uuid.UUID) -> Reports:
        """It can ship again."""
        answer = await self._stub.UnfreezeOrder(pb.UnfreezeOrderRequest(order_key=str(key)))
        return reports_of(answer.supplier_orders)

    async def hold(self, key: uuid.UUID, held: bool, version: int) -> Reports:
        """Nothing of it is packed or shipped, or it is again."""
        request = pb.SetOrderHoldRequest(order_key=str(key), held=held, version=version)
        return reports_of((await self._stub.SetOrderHold(request)).supplier_orders)

    async def cancel(self, key: uuid.UUID) -> Reports:
        """Cancels what is frozen and returns its stock."""
        return reports_of((await self._stub.CancelOrder(pb.CancelOrderRequest(order_key=str(key)))).supplier_orders)

    async def try_change(self, key: uuid.UUID, attempt: int, deadline: datetime) -> CanceledAmounts:
        """Freezes what is open; what will have been canceled of the whole order."""
        request = pb.TryChangeRequest(order_key=str(key), attempt=attempt, deadline=time_out(deadline))
        a = (await self._stub.TryChange(request)).canceled
        return CanceledAmounts(
            subtotal=money_micros(a.subtotal),
            discount=money_micros(a.discount),
            shipping_cost=money_micros(a.shipping_cost),
            tax=money_micros(a.tax),
            included_tax=money_micros(a.included_tax),
        )

    async def apply_change(self, key: uuid.UUID, attempt: int) -> Reports:
        """Cancels what is frozen for a change and returns its stock."""
        request = pb.ApplyChangeRequest(order_key=str(key), attempt=attempt)
        return reports_of((await self._stub.ApplyChange(request)).supplier_orders)

    async def release_change(self, key: uuid.UUID, attempt: int) -> Reports:
        """What is frozen for a change can ship again."""
        request = pb.ReleaseChangeRequest(order_key=str(key), attempt=attempt)
        return reports_of((await self._stub.ReleaseChange(request)).supplier_orders)


def _within(seconds: int) -> Duration | None:
    return Duration(seconds=seconds) if seconds else None


def _line(line: Line) -> sourcing_pb2.SourcingLine:
    product = line.product
    return sourcing_pb2.SourcingLine(
        line_item_id=line.id,
        product_id=line.product_id,
        quantity=line.quantity,
        default_supplier_id=product.default_supplier_id,
        supplier_ids=product.supplier_ids,
        ship_from_id=product.ship_from_address_id,
        track_inventory=product.track_inventory,
        shippable=product.shippable,
        pickup_location_id=line.pickup_location_id,
        inventory_record_id=line.inventory_record_id,
        variant_id=line.variant_id if product.variant_stock else "",
    )


def _assignment(a: sourcing_pb2.SourcingAssignment) -> Assignment:
    return Assignment(
        line_item_id=a.line_item_id,
        product_id=a.product_id,
        quantity=a.quantity,
        supplier_id=a.supplier_id,
        ship_from_id=a.ship_from_id,
        inventory_record_id=a.inventory_record_id,
        ship_from=address_plain(a.ship_from) if a.HasField("ship_from") else None,
        backordered=a.quantity_backordered,
        expected_time=instant(a.expected_time) if a.HasField("expected_time") else None,
    )


def _snapshot(order: Order, lines: Sequence[Line], worksheet: Worksheet) -> pb.OrderSnapshot:
    cur = order.currency
    return pb.OrderSnapshot(
        order_key=str(order.key),
        order_id=order.id,
        buyer_id=order.buyer_id,
        user_id=order.user.id,
        client_id=order.client_id,
        currency=cur,
        lines=[_snapshot_line(line, cur) for line in lines],
        shipping=_shipping(order, worksheet),
        shipping_cost=money_out(order.shipping_cost, cur),
        tax=money_out(order.tax - order.fee_tax, cur),
        shipping_address=address_out(Address, order.shipping_address),
        billing_address=address_out(Address, order.billing_address),
        comments=order.comments,
        xp=xp_out(order.xp),
        costs=[
            pb.OrderSnapshotCost(line_item_id=c.line_item_id, supplier_id=c.supplier_id, unit_cost=money_out(c.unit_cost, cur))
            for c in worksheet.costs
        ],
    )


def _snapshot_line(line: Line, currency: str) -> pb.OrderSnapshotLine:
    return pb.OrderSnapshotLine(
        line_item_id=line.id,
        product_id=line.product_id,
        product_name=line.product.name,
        variant_id=line.variant_id,
        quantity=line.quantity,
        unit_price=money_out(line.unit_price, currency),
        subtotal=money_out(line.subtotal, currency),
        discount=money_out(line.discount, currency),
        tax=money_out(line.tax, currency),
        included_tax=money_out(line.included_tax, currency),
        shippable=line.product.shippable,
        shipping_address=address_out(Address, line.shipping_address),
        pickup_location_id=line.pickup_location_id,
        xp=xp_out(line.xp),
        default_supplier_id=line.product.default_supplier_id,
        cost_center=line.cost_center,
        shipping_account=line.shipping_account,
        comments=line.comments,
        date_needed=time_out(line.date_needed),
        specs=[
            supplier_order_pb2.SupplierOrderLineSpec(
                spec_id=c.spec_id, name=c.name, option_id=c.option_id, option_name=c.option_name, value=c.value
            )
            for c in line.choices
        ],
    )


def _shipping(order: Order, worksheet: Worksheet) -> list[pb.OrderSnapshotShipping]:
    """Chosen methods at what they are charged with; each item with the supplier that it ships from, as the plan says."""
    charged = {s.ship_estimate_id: (s.net, s.tax, s.included_tax) for s in worksheet.shipments}
    sources = _sources(worksheet.plan)
    made: list[pb.OrderSnapshotShipping] = []
    for estimate in worksheet.estimates:
        method = estimate.selected
        if method is None:
            continue
        cost, tax, included = charged.get(estimate.id, (0, 0, 0))
        items = [
            pb.OrderSnapshotShippingItem(line_item_id=line, quantity=quantity, supplier_id=supplier)
            for line, quantity, supplier in _by_supplier(estimate.items, estimate.supplier_id, sources)
        ]
        made.append(
            pb.OrderSnapshotShipping(
                ship_estimate_id=estimate.id,
                ship_method_id=method.id,
                ship_method_name=method.name,
                carrier_id=method.carrier_id,
                cost=money_out(cost, order.currency),
                tax=money_out(tax, order.currency),
                included_tax=money_out(included, order.currency),
                pickup=method.pickup,
                items=items,
            )
        )
    return made


def _sources(plan: Sequence[Assignment]) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, dict[str, int]] = {}
    for a in plan:
        of_line = found.setdefault(a.line_item_id, {})
        of_line[a.supplier_id] = of_line.get(a.supplier_id, 0) + a.quantity
    return {line: list(of_line.items()) for line, of_line in found.items()}


def _by_supplier(
    items: Sequence[tuple[str, int]], supplier_id: str, sources: Mapping[str, list[tuple[str, int]]]
) -> list[tuple[str, int, Any]]:
    """Items of one estimate by supplier: the estimate's own, or, in a mixed one, those of the plan."""
    found: list[tuple[str, int, Any]] = []
    for line, quantity in items:
        of_line = sources.get(line, [])
        whole = sum(units for _, units in of_line) == quantity
        if len(of_line) > 1 and whole:
            found += [(line, units, supplier) for supplier, units in of_line]
        else:
            only = of_line[0][0] if len(of_line) == 1 else supplier_id
            found.append((line, quantity, only))
    return found
