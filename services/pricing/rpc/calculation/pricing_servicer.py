"""PricingService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.protoconv import time_out
from libs.rpc import current, require_service
from services.pricing.application.access import quoted_buyer
from services.pricing.application.calculation.calculate_order import CalculateOrder
from services.pricing.application.calculation.reserve_redemptions import Redemptions
from services.pricing.rpc import convert
from waybill.pricing.v1 import pricing_service_pb2 as pb
from waybill.pricing.v1 import pricing_service_pb2_grpc as pb_grpc


class PricingServicer(pb_grpc.PricingServiceServicer):
    """Prices whole orders."""

    def __init__(self, calculate: CalculateOrder, redemptions: Redemptions) -> None:
        self._calculate = calculate
        self._redemptions = redemptions

    async def QuoteLines(self, request: pb.QuoteLinesRequest, context: Any) -> pb.QuoteLinesResponse:
        buyer = quoted_buyer(current().principal, request.buyer_id)
        found = Violations()
        lines = convert.lines_in(found, request)
        found.raise_if_any()
        made, _ = await self._calculate(buyer, request.currency, lines, (), None)
        return pb.QuoteLinesResponse(
            lines=[convert.line_out(x, request.currency) for x in made.lines],
            problems=[convert.problem_out(p) for p in made.problems],
        )

    async def CalculateOrder(self, request: pb.CalculateOrderRequest, context: Any) -> pb.CalculateOrderResponse:
        require_service("order")
        found = Violations()
        lines = convert.lines_in(found, request)
        shipments = convert.shipments_in(found, request.currency, request.shipments)
        found.raise_if_any()
        made, now = await self._calculate(
            request.buyer_id,
            request.currency,
            lines,
            shipments,
            convert.destination_in(request, "destination"),
            taxed=not request.tax_overridden,
        )
        return pb.CalculateOrderResponse(
            lines=[convert.line_out(x, request.currency) for x in made.lines],
            shipments=[convert.shipment_out(s, request.currency) for s in made.shipments],
            problems=[convert.problem_out(p) for p in made.problems],
            price_time=time_out(now),
        )

    async def ReserveRedemptions(self, request: pb.ReserveRedemptionsRequest, context: Any) -> pb.ReserveRedemptionsResponse:
        require_service("order")
        found = Violations()
        attempt = convert.attempt_in(found, request)
        lines = convert.lines_in(found, request)
        quote = convert.quote_in(found, request)
        found.raise_if_any()
        state, problems = await self._redemptions.reserve(attempt, request.buyer_id, request.currency, lines, quote)
        return pb.ReserveRedemptionsResponse(state=convert.state_out(state), problems=[convert.problem_out(p) for p in problems])

    async def ConfirmRedemptions(self, request: pb.ConfirmRedemptionsRequest, context: Any) -> pb.ConfirmRedemptionsResponse:
        require_service("order")
        key, attempt = convert.step_in(request)
        state = await self._redemptions.end(key, attempt, "CONFIRMED")
        return pb.ConfirmRedemptionsResponse(state=convert.state_out(state))

    async def ReleaseRedemptions(self, request: pb.ReleaseRedemptionsRequest, context: Any) -> pb.ReleaseRedemptionsResponse:
        require_service("order")
        key, attempt = convert.step_in(request)
        state = await self._redemptions.end(key, attempt, "RELEASED")
        return pb.ReleaseRedemptionsResponse(state=convert.state_out(state))
