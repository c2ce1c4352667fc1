"""Pricing, as the catalog asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libs.rpc.peers import Peers
from services.catalog.domain.catalogs.visibility import Customer
from waybill.pricing.v1 import product_price_pb2
from waybill.pricing.v1 import product_price_service_pb2 as pb
from waybill.pricing.v1 import product_price_service_pb2_grpc as pb_grpc


class PricingPrices:
    """BatchGetProductPrices."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("pricing", pb_grpc.ProductPriceServiceStub)

    async def of(
        self, customer: Customer, currency: str, product_ids: Sequence[str], with_variants: bool = False
    ) -> Mapping[tuple[str, str], product_price_pb2.ProductPrice]:
        """By product and variant, the variant empty for the product itself; those without a price are absent."""
        asked = pb.BatchGetProductPricesRequest(
            buyer_id=customer.buyer_id,
            user_id=customer.user_id,
            currency=currency,
            product_ids=product_ids,
            with_variants=with_variants,
        )
        answer: pb.BatchGetProductPricesResponse = await self._stub.BatchGetProductPrices(asked)
        return {(price.product_id, price.variant_id): price for price in answer.prices}
