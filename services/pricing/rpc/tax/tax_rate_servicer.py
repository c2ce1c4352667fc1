"""TaxRateService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.pricing.application.ports import PricingWork
from waybill.pricing.v1 import tax_rate_service_pb2 as pb
from waybill.pricing.v1 import tax_rate_service_pb2_grpc as pb_grpc


class TaxRateServicer(pb_grpc.TaxRateServiceServicer):
    """Tax rates."""

    def __init__(self, rates: Methods[PricingWork]) -> None:
        self._rates = rates

    async def CreateTaxRate(self, request: pb.CreateTaxRateRequest, context: Any) -> pb.CreateTaxRateResponse:
        (made,) = await self._rates.create(request, [request.tax_rate], "tax_rate")
        return pb.CreateTaxRateResponse(tax_rate=made)

    async def BatchCreateTaxRates(self, request: pb.BatchCreateTaxRatesRequest, context: Any) -> pb.BatchCreateTaxRatesResponse:
        made = await self._rates.create(request, request.tax_rates, "tax_rates")
        return pb.BatchCreateTaxRatesResponse(tax_rates=made)

    async def GetTaxRate(self, request: pb.GetTaxRateRequest, context: Any) -> pb.GetTaxRateResponse:
        return pb.GetTaxRateResponse(tax_rate=await self._rates.get(request.tax_rate_id))

    async def ListTaxRates(self, request: pb.ListTaxRatesRequest, context: Any) -> pb.ListTaxRatesResponse:
        page = await self._rates.list(request)
        return pb.ListTaxRatesResponse(tax_rates=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateTaxRate(self, request: pb.UpdateTaxRateRequest, context: Any) -> pb.UpdateTaxRateResponse:
        made = await self._rates.update(request, request.tax_rate, "tax_rate")
        return pb.UpdateTaxRateResponse(tax_rate=made)

    async def DeleteTaxRate(self, request: pb.DeleteTaxRateRequest, context: Any) -> pb.DeleteTaxRateResponse:
        await self._rates.delete(request, request.tax_rate_id)
        return pb.DeleteTaxRateResponse()
