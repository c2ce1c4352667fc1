"""MyProductService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from libs.auth import Principal
from libs.errors import Violations, missing
from libs.query.request import page_request
from libs.rpc import current
from services.catalog.application.shop.shopping import Look, Shopping
from services.catalog.contract.specs import SPEC
from services.catalog.contract.variants import VARIANT
from services.catalog.domain.catalogs.visibility import Customer
from services.catalog.domain.products.facets import FacetCount, FacetsAsked, check_form
from services.catalog.domain.products.words import searched
from services.catalog.domain.shop.shop import Offered
from waybill.catalog.v1 import my_product_pb2
from waybill.catalog.v1 import my_product_service_pb2 as pb
from waybill.catalog.v1 import my_product_service_pb2_grpc as pb_grpc
from waybill.catalog.v1.product_pb2 import Product
from waybill.pricing.v1.product_price_pb2 import ProductPrice


class MyProductServicer(pb_grpc.MyProductServiceServicer):
    """A shop, as its customer sees it."""

    def __init__(self, shopping: Shopping) -> None:
        self._shopping = shopping

    async def ListMyProducts(self, request: pb.ListMyProductsRequest, context: Any) -> pb.ListMyProductsResponse:
        caller, found = current().principal, Violations()
        customer = _customer(found, caller, request)
        found.check_id("catalog_id", request.catalog_id, required=False)
        found.check_id("category_id", request.category_id, required=False)
        words = searched(found, "search", request.search)
        filters = [(each.facet_id, list(each.values)) for each in request.facet_filters]
        asked = FacetsAsked(request.include_facets, list(request.facet_ids), filters)
        check_form(found, asked)
        look = Look(request.catalog_id, request.category_id, request.only_this, words, asked)
        page, counts = await self._shopping.page(caller, customer, look, page_request(request), found)
        return pb.ListMyProductsResponse(
            products=[_shown(item) for item in page.items],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
            facets=[_counted(count) for count in counts],
        )

    async def GetMyProduct(self, request: pb.GetMyProductRequest, context: Any) -> pb.GetMyProductResponse:
        caller, found = current().principal, Violations()
        customer = _customer(found, caller, request)
        found.raise_if_any()
        return pb.GetMyProductResponse(product=_shown(await self._shopping.one(caller, customer, request.product_id)))


def _customer(found: Violations, caller: Principal, request: Any) -> Customer:
    """Whose shop it is; raises `RESOURCE_NOT_FOUND` for one that the caller may not see."""
    if caller.is_seller:
        found.check_id("buyer_id", request.buyer_id)
        found.check_id("user_id", request.user_id, required=False)
        return Customer(request.buyer_id, request.user_id)
    if request.buyer_id not in ("", caller.party_id):
        raise missing("buyer", request.buyer_id)
    if request.user_id not in ("", caller.user_id):
        raise missing("user", request.user_id)
    return Customer(caller.party_id, caller.user_id)


def _counted(count: FacetCount) -> my_product_pb2.MyFacet:
    facet = count.facet
    made = my_product_pb2.MyFacet(
        facet_id=facet.id, name=facet.name, xp_path=facet.xp_path, more_values=count.more, ready=facet.ready
    )
    for value, number in count.values:
        made.values.add(value=value, count=number)
    return made


def _shown(item: Offered) -> my_product_pb2.MyProduct:
    made = my_product_pb2.MyProduct(product=cast(Product, item.product), price=cast(ProductPrice | None, item.price))
    made.specs.extend(SPEC.write(row) for row in item.configured.specs)
    made.variant_count = item.configured.variant_count
    made.variants.extend(VARIANT.write(row) for row in item.variants)
    made.variant_prices.extend(cast(Sequence[ProductPrice], item.variant_prices))
    made.availability.tracked = item.product.track_inventory
    if item.stock is not None:
        made.availability.available = item.stock.available
        made.availability.can_exceed = item.stock.can_exceed
        if item.stock.backorderable is not None:
            made.availability.backorderable = item.stock.backorderable
        if item.stock.expected_time is not None:
            made.availability.expected_time.FromDatetime(item.stock.expected_time)
    return made
