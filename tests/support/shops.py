"""A catalog that shows everything but what a test hides."""

from __future__ import annotations

from typing import Any

from waybill.catalog.v1 import product_pb2, product_service_pb2_grpc
from waybill.catalog.v1 import product_service_pb2 as pb


class FakeShop(product_service_pb2_grpc.ProductServiceServicer):
    """Products that users of buyers are shown, by id."""

    def __init__(self) -> None:
        self.hidden: set[str] = set()
        self.inactive: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        """Buyers and users that were asked for."""

    async def BatchGetProducts(self, request: pb.BatchGetProductsRequest, context: Any) -> pb.BatchGetProductsResponse:
        self.asked.append((request.buyer_id, request.user_id))
        shown = [id for id in request.product_ids if id not in self.hidden]
        return pb.BatchGetProductsResponse(
            products=[
                product_pb2.Product(id=id, active=id not in self.inactive, track_inventory=True, shippable=True) for id in shown
            ]
        )

    @property
    def served(self) -> tuple[Any, Any, str]:
        """As `fake_peers` takes it."""
        add: Any = product_service_pb2_grpc.add_ProductServiceServicer_to_server
        return add, self, "waybill.catalog.v1.ProductService"
