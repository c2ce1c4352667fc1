"""PricingService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.rpc import current
from services.pricing.application.calculation.quote_lines import QuoteLines
from services.pricing.rpc import convert
from waybill.pricing.v1 import pricing_service_pb2 as pb
from waybill.pricing.v1 import pricing_service_pb2_grpc as pb_grpc


class PricingServicer(pb_grpc.PricingServiceServicer):
    """Prices for people."""

    def __init__(self, quote: QuoteLines) -> None:
        self._quote = quote

    async def QuoteLines(self, request: pb.QuoteLinesRequest, context: Any) -> pb.QuoteLinesResponse:
        caller = current().principal
        found = Violations()
        lines = convert.lines_in(found, request)
        found.raise_if_any()
        made = await self._quote(caller, request.buyer_id, request.user_id, request.currency, lines)
        return pb.QuoteLinesResponse(
            lines=[convert.line_out(x, request.currency) for x in made.lines],
            problems=[convert.problem_out(p) for p in made.problems],
        )
