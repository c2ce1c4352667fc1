"""ProductAssignmentService."""

from __future__ import annotations

from typing import Any

from services.catalog.rpc.catalogs.assignments import Assigned
from waybill.catalog.v1 import product_assignment_pb2
from waybill.catalog.v1 import product_assignment_service_pb2 as pb
from waybill.catalog.v1 import product_assignment_service_pb2_grpc as pb_grpc


class ProductAssignmentServicer(pb_grpc.ProductAssignmentServiceServicer):
    """Where products stand, and to whom single ones are shown."""

    def __init__(self, in_catalogs: Assigned, in_categories: Assigned, to_buyers: Assigned) -> None:
        self._in_catalogs = in_catalogs
        self._in_categories = in_categories
        self._to_buyers = to_buyers

    async def AssignCatalogProducts(
        self, request: pb.AssignCatalogProductsRequest, context: Any
    ) -> pb.AssignCatalogProductsResponse:
        await self._in_catalogs.assign(request)
        return pb.AssignCatalogProductsResponse()

    async def UnassignCatalogProducts(
        self, request: pb.UnassignCatalogProductsRequest, context: Any
    ) -> pb.UnassignCatalogProductsResponse:
        await self._in_catalogs.unassign(request)
        return pb.UnassignCatalogProductsResponse()

    async def ListCatalogProducts(self, request: pb.ListCatalogProductsRequest, context: Any) -> pb.ListCatalogProductsResponse:
        return pb.ListCatalogProductsResponse(**await self._in_catalogs.page(request, product_assignment_pb2.CatalogProduct))

    async def AssignCategoryProducts(
        self, request: pb.AssignCategoryProductsRequest, context: Any
    ) -> pb.AssignCategoryProductsResponse:
        await self._in_categories.assign(request)
        return pb.AssignCategoryProductsResponse()

    async def UnassignCategoryProducts(
        self, request: pb.UnassignCategoryProductsRequest, context: Any
    ) -> pb.UnassignCategoryProductsResponse:
        await self._in_categories.unassign(request)
        return pb.UnassignCategoryProductsResponse()

    async def ListCategoryProducts(
        self, request: pb.ListCategoryProductsRequest, context: Any
    ) -> pb.ListCategoryProductsResponse:
        return pb.ListCategoryProductsResponse(**await self._in_categories.page(request, product_assignment_pb2.CategoryProduct))

    async def AssignProducts(self, request: pb.AssignProductsRequest, context: Any) -> pb.AssignProductsResponse:
        await self._to_buyers.assign(request)
        return pb.AssignProductsResponse()

    async def UnassignProducts(self, request: pb.UnassignProductsRequest, context: Any) -> pb.UnassignProductsResponse:
        await self._to_buyers.unassign(request)
        return pb.UnassignProductsResponse()

    async def ListProductAssignments(
        self, request: pb.ListProductAssignmentsRequest, context: Any
    ) -> pb.ListProductAssignmentsResponse:
        return pb.ListProductAssignmentsResponse(**await self._to_buyers.page(request, product_assignment_pb2.ProductAssignment))
