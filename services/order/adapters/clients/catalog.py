"""The catalog, as the order service asks it."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from libs.rpc.peers import Peers
from services.order.application.peers import CatalogProduct
from services.order.domain.model import ProductSnapshot
from waybill.catalog.v1 import product_pb2
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1 import product_service_pb2_grpc as pb_grpc


class CatalogClient:
    """BatchGetProducts."""

    def __init__(self, peers: Peers) -> None:
        self._stub: Any = peers.stub("catalog", pb_grpc.ProductServiceStub)

    async def products(self, product_ids: Collection[str], buyer_id: str, user_id: str) -> dict[str, CatalogProduct]:
        """Those that the buyer's user is shown, active or not, by id; none asked for is no call."""
        wanted = sorted(product_ids)
        if not wanted:
            return {}
        request = pb.BatchGetProductsRequest(product_ids=wanted, buyer_id=buyer_id, user_id=user_id)
        answer: pb.BatchGetProductsResponse = await self._stub.BatchGetProducts(request)
        return {p.id: CatalogProduct(p.id, p.active, _snapshot(p)) for p in answer.products}


def _snapshot(p: product_pb2.Product) -> ProductSnapshot:
    return ProductSnapshot(
        name=p.name,
        default_supplier_id=p.default_supplier_id,
        supplier_ids=tuple(p.supplier_ids),
        ship_from_address_id=p.ship_from_address_id,
        shippable=p.shippable,
        track_inventory=p.track_inventory,
        tax_class=p.tax_class,
        weight_kg=Decimal(p.weight_kg.value or 0),
        quantity_multiplier=p.quantity_multiplier,
        etag=p.etag,
    )
