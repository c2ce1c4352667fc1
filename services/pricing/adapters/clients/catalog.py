"""The catalog, as pricing asks it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from libs.rpc.peers import Peers
from services.pricing.domain.schedules.supply import Supplied
from waybill.catalog.v1 import supplier_product_service_pb2 as pb
from waybill.catalog.v1 import supplier_product_service_pb2_grpc as pb_grpc


class CatalogSupplierProducts:
    """CheckSupplierProducts."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("catalog", pb_grpc.SupplierProductServiceStub)

    async def of(self, supplier_id: str, product_ids: Collection[str]) -> Supplied:
        """Whether the supplier may set prices, and which of the products it owns."""
        asked = pb.CheckSupplierProductsRequest(supplier_id=supplier_id, product_ids=sorted(product_ids))
        answer: pb.CheckSupplierProductsResponse = await self._stub.CheckSupplierProducts(asked)
        return Supplied(supplier_id, answer.may_set_prices, frozenset(answer.owned_product_ids))
