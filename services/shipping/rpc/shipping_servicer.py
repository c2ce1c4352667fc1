"""ShippingService."""

from __future__ import annotations

from typing import Any

from services.shipping.application.check_selections import CheckSelections
from services.shipping.application.estimate_shipping import EstimateShipping
from services.shipping.rpc.convert import answer_out, question_in, selections_in, unavailable_out
from waybill.shipping.v1 import shipping_service_pb2 as pb
from waybill.shipping.v1 import shipping_service_pb2_grpc as pb_grpc


class ShippingServicer(pb_grpc.ShippingServiceServicer):
    """Estimates for whole orders, for the order service."""

    def __init__(self, estimate: EstimateShipping, check: CheckSelections) -> None:
        self._estimate = estimate
        self._check = check

    async def EstimateShipping(self, request: pb.EstimateShippingRequest, context: Any) -> pb.EstimateShippingResponse:
        return answer_out(await self._estimate(question_in(request)), request.currency)

    async def CheckSelections(self, request: pb.CheckSelectionsRequest, context: Any) -> pb.CheckSelectionsResponse:
        return unavailable_out(await self._check(request.buyer_id, request.client_id, selections_in(request)))
