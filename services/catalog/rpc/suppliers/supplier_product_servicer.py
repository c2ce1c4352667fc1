"""SupplierProductService: for services only."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.ids import valid_id
from services.catalog.application.ports import SuppliedProducts
from waybill.catalog.v1 import reasons
from waybill.catalog.v1 import supplier_product_service_pb2 as pb
from waybill.catalog.v1 import supplier_product_service_pb2_grpc as pb_grpc

MAX_PRODUCTS = 5_000


class SupplierProductServicer(pb_grpc.SupplierProductServiceServicer):
    """What suppliers may do with products."""

    def __init__(self, supplied: SuppliedProducts) -> None:
        self._supplied = supplied

    async def CheckSupplierProducts(
        self, request: pb.CheckSupplierProductsRequest, context: Any
    ) -> pb.CheckSupplierProductsResponse:
        found = Violations()
        found.check_id("supplier_id", request.supplier_id)
        few = len(request.product_ids) <= MAX_PRODUCTS
        found.require("product_ids", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_PRODUCTS:,}")
        found.raise_if_any()
        # The database is not asked about ids that cannot be in it.
        asked = {id for id in request.product_ids if valid_id(id)}
        supplied = await self._supplied.of(request.supplier_id, asked)
        return pb.CheckSupplierProductsResponse(
            may_set_prices=supplied.may_set_prices, owned_product_ids=supplied.owned, fulfilled_product_ids=supplied.fulfilled
        )
