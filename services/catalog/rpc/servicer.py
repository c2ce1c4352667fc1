"""ProductService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.resource.contract import Methods
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1 import product_service_pb2_grpc as pb_grpc
from waybill.catalog.v1 import reasons

MAX_LOOKUP = 5_000


class ProductServicer(pb_grpc.ProductServiceServicer):
    """Products and their look-up by other services."""

    def __init__(self, products: Methods[object]) -> None:
        self._products = products

    async def CreateProduct(self, request: pb.CreateProductRequest, context: Any) -> pb.CreateProductResponse:
        (made,) = await self._products.create(request, [request.product], "product")
        return pb.CreateProductResponse(product=made)

    async def BatchCreateProducts(self, request: pb.BatchCreateProductsRequest, context: Any) -> pb.BatchCreateProductsResponse:
        made = await self._products.create(request, request.products, "products")
        return pb.BatchCreateProductsResponse(products=made)

    async def GetProduct(self, request: pb.GetProductRequest, context: Any) -> pb.GetProductResponse:
        found = await self._products.get(request.product_id)
        return pb.GetProductResponse(product=found)

    async def BatchGetProducts(self, request: pb.BatchGetProductsRequest, context: Any) -> pb.BatchGetProductsResponse:
        wrong = Violations()
        wrong.require("product_ids", len(request.product_ids) <= MAX_LOOKUP, reasons.TOO_MANY_ITEMS, f"at most {MAX_LOOKUP:,}")
        wrong.raise_if_any()
        found, missing = await self._products.batch_get(request.product_ids)
        return pb.BatchGetProductsResponse(products=found, missing_product_ids=missing)

    async def ListProducts(self, request: pb.ListProductsRequest, context: Any) -> pb.ListProductsResponse:
        page = await self._products.list(request)
        return pb.ListProductsResponse(products=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateProduct(self, request: pb.UpdateProductRequest, context: Any) -> pb.UpdateProductResponse:
        product = await self._products.update(request, request.product, "product")
        return pb.UpdateProductResponse(product=product)

    async def DeleteProduct(self, request: pb.DeleteProductRequest, context: Any) -> pb.DeleteProductResponse:
        await self._products.delete(request, request.product_id)
        return pb.DeleteProductResponse()
