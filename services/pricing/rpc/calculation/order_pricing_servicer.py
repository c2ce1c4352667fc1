"""OrderPricingService: for services only."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.protoconv import time_out
from libs.rpc import current
from services.pricing.application.calculation.calculate_order import CalculateOrder
from services.pricing.application.calculation.priced_groups import Customer
from services.pricing.rpc import convert, convert_fees
from services.pricing.rpc.calculation.convert_promotions import applied_out, dropped_out, wanted_in
from services.pricing.rpc.convert_places import destination_in
from services.pricing.rpc.convert_prices import cost_out, exemptions_in
from waybill.pricing.v1 import order_pricing_service_pb2 as pb
from waybill.pricing.v1 import order_pricing_service_pb2_grpc as pb_grpc


class OrderPricingServicer(pb_grpc.OrderPricingServiceServicer):
    """Prices whole orders, for the order service."""

    def __init__(self, calculate: CalculateOrder) -> None:
        self._calculate = calculate

    async def CalculateOrder(self, request: pb.CalculateOrderRequest, context: Any) -> pb.CalculateOrderResponse:
        found = Violations()
        lines = convert.lines_in(found, request, costed=True)
        shipments = convert.shipments_in(found, request.currency, request.shipments)
        exemptions = exemptions_in(found, request.tax_exemptions)
        fees = convert_fees.fees_in(found, request.currency, request.fees)
        wanted = wanted_in(found, request, lines)
        found.raise_if_any()
        made = await self._calculate(
            current().caller,
            Customer(request.buyer_id, request.user_id),
            request.currency,
            lines,
            shipments,
            destination_in(request, "destination"),
            taxed=not request.tax_overridden,
            exemptions=exemptions,
            fees=fees,
            wanted=wanted,
        )
        parts = made.parts
        return pb.CalculateOrderResponse(
            lines=[convert.line_out(x, request.currency) for x in parts.lines],
            shipments=[convert.shipment_out(s, request.currency) for s in parts.shipments],
            problems=[convert.problem_out(p) for p in parts.problems],
            price_time=time_out(made.time),
            costs=[cost_out(cost, request.currency) for cost in made.costs],
            fees=[convert_fees.fee_out(fee, request.currency) for fee in parts.fees],
            applied_promotions=applied_out(made.promotions, request.currency),
            dropped_promotions=dropped_out(made.promotions),
        )
