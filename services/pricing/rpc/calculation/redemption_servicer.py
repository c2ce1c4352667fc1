"""RedemptionService: for services only."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.rpc import current
from services.pricing.application.calculation.priced_groups import Customer
from services.pricing.application.calculation.reserve_redemptions import Redemptions
from services.pricing.rpc import convert
from services.pricing.rpc.calculation.convert_promotions import on_order_in
from services.pricing.rpc.convert_prices import cost_out, exemptions_in
from waybill.pricing.v1 import redemption_service_pb2 as pb
from waybill.pricing.v1 import redemption_service_pb2_grpc as pb_grpc


class RedemptionServicer(pb_grpc.RedemptionServiceServicer):
    """The steps of submit, for the order service."""

    def __init__(self, redemptions: Redemptions) -> None:
        self._redemptions = redemptions

    async def ReserveRedemptions(self, request: pb.ReserveRedemptionsRequest, context: Any) -> pb.ReserveRedemptionsResponse:
        found = Violations()
        attempt = convert.attempt_in(found, request)
        lines = convert.lines_in(found, request, costed=True)
        quote = convert.quote_in(found, request)
        exemptions = exemptions_in(found, request.tax_exemptions)
        promotions = on_order_in(found, request, lines)
        found.raise_if_any()
        customer = Customer(request.buyer_id, request.user_id)
        caller, currency = current().caller, request.currency
        made = await self._redemptions.reserve(attempt, caller, customer, currency, lines, quote, exemptions, promotions)
        return pb.ReserveRedemptionsResponse(
            state=convert.state_out(made.state),
            problems=[convert.problem_out(p) for p in made.problems],
            costs=[cost_out(cost, currency) for cost in made.costs],
        )

    async def ConfirmRedemptions(self, request: pb.ConfirmRedemptionsRequest, context: Any) -> pb.ConfirmRedemptionsResponse:
        key, attempt = convert.step_in(request)
        state = await self._redemptions.end(key, attempt, "CONFIRMED")
        return pb.ConfirmRedemptionsResponse(state=convert.state_out(state))

    async def ReleaseRedemptions(self, request: pb.ReleaseRedemptionsRequest, context: Any) -> pb.ReleaseRedemptionsResponse:
        key, attempt = convert.step_in(request)
        state = await self._redemptions.end(key, attempt, "RELEASED")
        return pb.ReleaseRedemptionsResponse(state=convert.state_out(state))

    async def VoidRedemptions(self, request: pb.VoidRedemptionsRequest, context: Any) -> pb.VoidRedemptionsResponse:
        await self._redemptions.void(convert.order_key_in(request))
        return pb.VoidRedemptionsResponse()
