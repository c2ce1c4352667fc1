"""The catalog, as fulfillment asks it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from libs.rpc.peers import Peers
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1 import product_service_pb2_grpc as pb_grpc


class CatalogClient:
    """BatchGetProducts."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("catalog", pb_grpc.ProductServiceStub)

    async def shown(self, product_ids: Collection[str], buyer_id: str, user_id: str) -> Collection[str]:
        """Those of them that the buyer's user is shown; none asked for is no call."""
        if not product_ids:
            return frozenset()
        request = pb.BatchGetProductsRequest(product_ids=sorted(product_ids), buyer_id=buyer_id, user_id=user_id)
        answer: pb.BatchGetProductsResponse = await self._stub.BatchGetProducts(request)
        return frozenset(product.id for product in answer.products if product.active)
