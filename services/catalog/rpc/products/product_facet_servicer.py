"""ProductFacetService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.catalog.application.ports import CatalogWork
from services.catalog.application.products.faceting import CollectValues, declares, ends_facet, redeclares
from waybill.catalog.v1 import product_facet_service_pb2 as pb
from waybill.catalog.v1 import product_facet_service_pb2_grpc as pb_grpc
from waybill.catalog.v1.product_facet_pb2 import ProductFacet


class ProductFacetServicer(pb_grpc.ProductFacetServiceServicer):
    """Facets of products. Where there are few products, a facet is ready when the call returns."""

    def __init__(self, facets: Methods[CatalogWork], collect: CollectValues) -> None:
        self._facets = facets
        self._collect = collect

    async def _collected(self, facet: ProductFacet) -> ProductFacet:
        """The facet, after the values of the first products have been collected for it."""
        if facet.ready or not await self._collect.part(facet.id):
            return facet
        found: ProductFacet = await self._facets.get(facet.id)
        return found

    async def CreateProductFacet(self, request: pb.CreateProductFacetRequest, context: Any) -> pb.CreateProductFacetResponse:
        (made,) = await self._facets.create(request, [request.product_facet], "product_facet", guard=declares)
        return pb.CreateProductFacetResponse(product_facet=await self._collected(made))

    async def GetProductFacet(self, request: pb.GetProductFacetRequest, context: Any) -> pb.GetProductFacetResponse:
        return pb.GetProductFacetResponse(product_facet=await self._facets.get(request.product_facet_id))

    async def ListProductFacets(self, request: pb.ListProductFacetsRequest, context: Any) -> pb.ListProductFacetsResponse:
        page = await self._facets.list(request)
        return pb.ListProductFacetsResponse(
            product_facets=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateProductFacet(self, request: pb.UpdateProductFacetRequest, context: Any) -> pb.UpdateProductFacetResponse:
        guard, then = redeclares()
        made = await self._facets.update(request, request.product_facet, "product_facet", guard=guard, then=then)
        return pb.UpdateProductFacetResponse(product_facet=await self._collected(made))

    async def DeleteProductFacet(self, request: pb.DeleteProductFacetRequest, context: Any) -> pb.DeleteProductFacetResponse:
        await self._facets.delete(request, request.product_facet_id, guard=ends_facet)
        return pb.DeleteProductFacetResponse()
