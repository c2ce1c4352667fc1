"""ProductPriceService: for services only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from libs.errors import Violations
from libs.protoconv import currency_in, money_out
from libs.rpc import current
from services.pricing.application.calculation.offer_products import OfferProducts
from services.pricing.application.calculation.priced_groups import Customer
from services.pricing.domain.schedules.offer import Offer
from services.pricing.domain.schedules.schedule import Schedule
from waybill.pricing.v1 import product_price_pb2, reasons
from waybill.pricing.v1 import product_price_service_pb2 as pb
from waybill.pricing.v1 import product_price_service_pb2_grpc as pb_grpc

MAX_PRODUCTS = 1_000


class ProductPriceServicer(pb_grpc.ProductPriceServiceServicer):
    """Prices of many products, for the catalog."""

    def __init__(self, offer: OfferProducts) -> None:
        self._offer = offer

    async def BatchGetProductPrices(
        self, request: pb.BatchGetProductPricesRequest, context: Any
    ) -> pb.BatchGetProductPricesResponse:
        found = Violations()
        found.check_id("buyer_id", request.buyer_id, required=bool(request.user_id))
        found.check_id("user_id", request.user_id, required=False)
        currency = currency_in(found, "currency", request.currency)
        products = list(dict.fromkeys(request.product_ids))
        found.require("product_ids", len(products) <= MAX_PRODUCTS, reasons.TOO_MANY_ITEMS, f"at most {MAX_PRODUCTS:,}")
        for i, id in enumerate(products[:MAX_PRODUCTS]):
            found.check_id(f"product_ids[{i}]", id)
        found.raise_if_any()
        customer = Customer(request.buyer_id, request.user_id)
        offers, now = await self._offer(current().caller, customer, currency, products, request.with_variants)
        places = {id: i for i, id in enumerate(products)}
        found_ones = sorted(offers, key=lambda article: (places[article.partition("/")[0]], article))
        return pb.BatchGetProductPricesResponse(
            prices=[_price(*article.partition("/")[::2], offers[article], currency, now) for article in found_ones]
        )


def _price(product_id: str, variant_id: str, offer: Offer, currency: str, now: datetime) -> product_price_pb2.ProductPrice:
    return product_price_pb2.ProductPrice(
        product_id=product_id,
        variant_id=variant_id,
        currency=currency,
        quantity=offer.quantity,
        unit_price=money_out(offer.price.unit, currency),
        on_sale=offer.price.on_sale,
        price_schedule_id=offer.schedule_id,
        terms=[_terms(schedule, now) for schedule in offer.schedules],
        tax_included=any(schedule.tax_included for schedule in offer.schedules if schedule.id == offer.schedule_id),
    )


def _terms(schedule: Schedule, now: datetime) -> product_price_pb2.PriceTerms:
    made = product_price_pb2.PriceTerms(
        price_schedule_id=schedule.id,
        min_quantity=schedule.min_quantity,
        max_quantity=schedule.max_quantity,
        use_cumulative_quantity=schedule.cumulative,
        restricted_quantity=schedule.restricted,
        tax_included=schedule.tax_included,
    )
    on_sale = schedule.on_sale(now)
    for step in schedule.breaks:
        shown = made.price_breaks.add(quantity=step.quantity, price=money_out(step.price, schedule.currency))
        if on_sale and step.sale_price is not None:
            shown.sale_price.CopyFrom(money_out(step.sale_price, schedule.currency))
    return made
