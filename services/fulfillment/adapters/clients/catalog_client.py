"""The catalog, as fulfillment asks it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from libs.rpc.peers import Peers
from services.fulfillment.domain.sourcing.model import Supply
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

    async def supplied(self, product_ids: Collection[str]) -> dict[str, Supply]:
        """How products are supplied, by id; unknown ones are left out."""
        request = products_pb.BatchGetProductsRequest(product_ids=sorted(product_ids))
        answer: products_pb.BatchGetProductsResponse = await self._products.BatchGetProducts(request)
        return {
            p.id: Supply(
                default_supplier_id=p.default_supplier_id,
                supplier_ids=tuple(p.supplier_ids),
                ship_from_id=p.ship_from_address_id,
                track_inventory=p.track_inventory,
                shippable=p.shippable,
                variant_stock=p.variant_stock,
            )
            for p in answer.products
        }

    async def fulfilled(self, supplier_id: str, product_ids: Collection[str]) -> Collection[str]:
        """Of these products those that the supplier may fulfill."""
        request = supplied_pb.CheckSupplierProductsRequest(supplier_id=supplier_id, product_ids=sorted(product_ids))
        answer: supplied_pb.CheckSupplierProductsResponse = await self._supplied.CheckSupplierProducts(request)
        return frozenset(answer.fulfilled_product_ids)
