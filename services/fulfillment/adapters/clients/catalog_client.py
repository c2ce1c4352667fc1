"""The catalog, as fulfillment asks it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from libs.rpc.peers import Peers
from waybill.catalog.v1 import product_service_pb2 as products_pb
from waybill.catalog.v1 import product_service_pb2_grpc as products_grpc
from waybill.catalog.v1 import supplier_product_service_pb2 as supplied_pb
from waybill.catalog.v1 import supplier_product_service_pb2_grpc as supplied_grpc


class CatalogClient:
    """BatchGetProducts and CheckSupplierProducts."""

    def __init__(self, peers: Peers) -> None:
        self._products: Any = peers.stub("catalog", products_grpc.ProductServiceStub)
        self._supplied: Any = peers.stub("catalog", supplied_grpc.SupplierProductServiceStub)

    async def shown(self, product_ids: Collection[str], buyer_id: str, user_id: str) -> Collection[str]:
        """Those of them that the buyer's user is shown; none asked for is no call."""
        if not product_ids:
            return frozenset()
        request = products_pb.BatchGetProductsRequest(product_ids=sorted(product_ids), buyer_id=buyer_id, user_id=user_id)
        answer: products_pb.BatchGetProductsResponse = await self._products.BatchGetProducts(request)
        return frozenset(product.id for product in answer.products if product.active)

    async def fulfilled(self, supplier_id: str, product_ids: Collection[str]) -> Collection[str]:
        """Of these products those that the supplier may fulfill."""
        request = supplied_pb.CheckSupplierProductsRequest(supplier_id=supplier_id, product_ids=sorted(product_ids))
        answer: supplied_pb.CheckSupplierProductsResponse = await self._supplied.CheckSupplierProducts(request)
        return frozenset(answer.fulfilled_product_ids)
