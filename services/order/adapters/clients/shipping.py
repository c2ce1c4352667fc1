"""Shipping, as the order service asks it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from libs.protoconv import address_out, decimal_out, money_micros, struct_plain
from libs.rpc.peers import Peers
from services.order.contract.problems import problem_in
from services.order.domain.checkout.freight import Plan, Shippable
from services.order.domain.checkout.worksheet import Assignment, Estimate, Method
from services.order.domain.model import Line, Order, Problem
from waybill.shipping.v1 import shipping_service_pb2 as pb
from waybill.shipping.v1 import shipping_service_pb2_grpc as pb_grpc
from waybill.type.v1.address_pb2 import Address


class ShippingClient:
    """EstimateShipping and CheckSelections."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("shipping", pb_grpc.ShippingServiceStub)

    async def estimate(self, order: Order, lines: Sequence[Line], plans: Sequence[Plan]) -> list[Shippable]:
        """For each plan the estimates for all shippable lines, or all problems; nothing to ship is no call."""
        by_id = {line.id: line for line in lines if line.product.shippable}
        first, *others = ([_item(a, by_id[a.line_item_id]) for a in plan if a.line_item_id in by_id] for plan in plans)
        if not first:
            return [Shippable() for _ in plans]
        answer: pb.EstimateShippingResponse = await self._stub.EstimateShipping(
            pb.EstimateShippingRequest(
                buyer_id=order.buyer_id,
                client_id=order.client_id,
                currency=order.currency,
                ship_to=address_out(Address, order.shipping_address),
                items=first,
                alternatives=[pb.ShippingPlan(items=items) for items in others],
            )
        )
        return [_shippable(answer), *map(_shippable, answer.alternatives)]

    async def check(self, order: Order, estimates: Sequence[Estimate]) -> list[Problem]:
        """Selected methods that may not be used any more; nothing selected is no call."""
        selections = [
            pb.Selection(
                ship_estimate_id=e.id, ship_method_id=e.selected.id, supplier_id=e.supplier_id, ship_from_id=e.ship_from_id
            )
            for e in estimates
            if e.selected is not None
        ]
        if not selections:
            return []
        answer: pb.CheckSelectionsResponse = await self._stub.CheckSelections(
            pb.CheckSelectionsRequest(buyer_id=order.buyer_id, client_id=order.client_id, selections=selections)
        )
        return [problem_in(p) for p in answer.problems]


def _shippable(found: pb.EstimateShippingResponse | pb.EstimatedPlan) -> Shippable:
    return Shippable(tuple(map(_estimate, found.ship_estimates)), tuple(map(problem_in, found.problems)))


def _item(a: Assignment, line: Line) -> pb.ShippingItem:
    return pb.ShippingItem(
        line_item_id=a.line_item_id,
        product_id=a.product_id,
        quantity=a.quantity,
        supplier_id=a.supplier_id,
        ship_from_id=a.ship_from_id,
        ship_from=address_out(Address, a.ship_from),
        weight_kg=decimal_out(line.product.weight_kg),
        ship_to=address_out(Address, line.shipping_address),
        pickup_location_id=line.pickup_location_id,
    )


def _estimate(e: pb.ShipEstimate) -> Estimate:
    return Estimate(
        id=e.id,
        supplier_id=e.supplier_id,
        ship_from_id=e.ship_from_id,
        items=tuple((i.line_item_id, i.quantity) for i in e.items),
        methods=tuple(
            Method(
                id=m.id,
                name=m.name,
                carrier_id=m.carrier_id,
                cost=money_micros(m.cost),
                min_lead_seconds=m.min_lead_time.seconds,
                max_lead_seconds=m.max_lead_time.seconds,
                pickup=m.pickup,
                xp=struct_plain(m.xp),
                tax_included=m.tax_included,
            )
            for m in e.ship_methods
        ),
        grouping=e.grouping,
        weight_kg=Decimal(e.weight_kg.value or 0),
    )
