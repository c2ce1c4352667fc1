"""CatalogService."""

from __future__ import annotations

from typing import Any

from libs.auth import PartyKind
from libs.resource.contract import Methods
from libs.rpc import current
from services.catalog.application.catalogs.showing import Showing
from services.catalog.application.ports import CatalogWork, Shown
from services.catalog.domain.catalogs.visibility import Customer
from services.catalog.rpc.catalogs.assignments import Assigned, supplier
from waybill.catalog.v1 import catalog_pb2
from waybill.catalog.v1 import catalog_service_pb2 as pb
from waybill.catalog.v1 import catalog_service_pb2_grpc as pb_grpc


class CatalogServicer(pb_grpc.CatalogServiceServicer):
    """Catalogs, and which buyers have them."""

    def __init__(self, catalogs: Methods[CatalogWork], shown: Shown, showing: Showing, assigned: Assigned) -> None:
        self._catalogs = catalogs
        self._shown = shown
        self._showing = showing
        self._assigned = assigned

    async def _seen(self) -> Methods[CatalogWork]:
        """The catalogs as the caller sees them."""
        caller = current().principal
        if caller.party_kind is not PartyKind.BUYER:
            return self._shown.catalogs_for(supplier_id) if (supplier_id := supplier()) else self._catalogs
        customer = Customer(caller.party_id, caller.user_id)
        return self._shown.catalogs(await self._showing.catalogs(customer))

    async def CreateCatalog(self, request: pb.CreateCatalogRequest, context: Any) -> pb.CreateCatalogResponse:
        (made,) = await self._catalogs.create(request, [request.catalog], "catalog")
        return pb.CreateCatalogResponse(catalog=made)

    async def BatchCreateCatalogs(self, request: pb.BatchCreateCatalogsRequest, context: Any) -> pb.BatchCreateCatalogsResponse:
        made = await self._catalogs.create(request, request.catalogs, "catalogs")
        return pb.BatchCreateCatalogsResponse(catalogs=made)

    async def GetCatalog(self, request: pb.GetCatalogRequest, context: Any) -> pb.GetCatalogResponse:
        return pb.GetCatalogResponse(catalog=await (await self._seen()).get(request.catalog_id))

    async def ListCatalogs(self, request: pb.ListCatalogsRequest, context: Any) -> pb.ListCatalogsResponse:
        page = await (await self._seen()).list(request)
        return pb.ListCatalogsResponse(catalogs=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateCatalog(self, request: pb.UpdateCatalogRequest, context: Any) -> pb.UpdateCatalogResponse:
        made = await self._catalogs.update(request, request.catalog, "catalog")
        return pb.UpdateCatalogResponse(catalog=made)

    async def DeleteCatalog(self, request: pb.DeleteCatalogRequest, context: Any) -> pb.DeleteCatalogResponse:
        await self._catalogs.delete(request, request.catalog_id)
        return pb.DeleteCatalogResponse()

    async def AssignCatalogs(self, request: pb.AssignCatalogsRequest, context: Any) -> pb.AssignCatalogsResponse:
        await self._assigned.assign(request)
        return pb.AssignCatalogsResponse()

    async def UnassignCatalogs(self, request: pb.UnassignCatalogsRequest, context: Any) -> pb.UnassignCatalogsResponse:
        await self._assigned.unassign(request)
        return pb.UnassignCatalogsResponse()

    async def ListCatalogAssignments(
        self, request: pb.ListCatalogAssignmentsRequest, context: Any
    ) -> pb.ListCatalogAssignmentsResponse:
        return pb.ListCatalogAssignmentsResponse(**await self._assigned.page(request, catalog_pb2.CatalogAssignment))
