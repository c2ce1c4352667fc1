"""CategoryService."""

from __future__ import annotations

from typing import Any

from libs.auth import PartyKind
from libs.resource.contract import Guard, Methods
from libs.rpc import current
from services.catalog.application.catalogs.placing import keeps_trees
from services.catalog.application.catalogs.showing import Showing
from services.catalog.application.ports import CatalogWork, Shown
from services.catalog.domain.catalogs.visibility import Customer
from services.catalog.rpc.catalogs.assignments import Assigned, supplier
from waybill.catalog.v1 import category_pb2
from waybill.catalog.v1 import category_service_pb2 as pb
from waybill.catalog.v1 import category_service_pb2_grpc as pb_grpc


class CategoryServicer(pb_grpc.CategoryServiceServicer):
    """Categories, and which buyers see them."""

    def __init__(
        self, categories: Methods[CatalogWork], shown: Shown, showing: Showing, assigned: Assigned, ending: Guard[CatalogWork]
    ) -> None:
        self._categories = categories
        self._shown = shown
        self._showing = showing
        self._assigned = assigned
        self._ending = ending

    async def _seen(self) -> Methods[CatalogWork]:
        """The categories as the caller sees them."""
        caller = current().principal
        if caller.party_kind is not PartyKind.BUYER:
            return self._shown.categories_for(supplier_id) if (supplier_id := supplier()) else self._categories
        customer = Customer(caller.party_id, caller.user_id)
        return self._shown.categories(await self._showing.categories(caller, customer))

    async def CreateCategory(self, request: pb.CreateCategoryRequest, context: Any) -> pb.CreateCategoryResponse:
        (made,) = await self._categories.create(request, [request.category], "category", guard=keeps_trees)
        return pb.CreateCategoryResponse(category=made)

    async def BatchCreateCategories(
        self, request: pb.BatchCreateCategoriesRequest, context: Any
    ) -> pb.BatchCreateCategoriesResponse:
        made = await self._categories.create(request, request.categories, "categories", guard=keeps_trees)
        return pb.BatchCreateCategoriesResponse(categories=made)

    async def GetCategory(self, request: pb.GetCategoryRequest, context: Any) -> pb.GetCategoryResponse:
        return pb.GetCategoryResponse(category=await (await self._seen()).get(request.category_id))

    async def ListCategories(self, request: pb.ListCategoriesRequest, context: Any) -> pb.ListCategoriesResponse:
        page = await (await self._seen()).list(request)
        return pb.ListCategoriesResponse(categories=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateCategory(self, request: pb.UpdateCategoryRequest, context: Any) -> pb.UpdateCategoryResponse:
        made = await self._categories.update(request, request.category, "category", guard=keeps_trees)
        return pb.UpdateCategoryResponse(category=made)

    async def DeleteCategory(self, request: pb.DeleteCategoryRequest, context: Any) -> pb.DeleteCategoryResponse:
        await self._categories.delete(request, request.category_id, guard=self._ending)
        return pb.DeleteCategoryResponse()

    async def AssignCategories(self, request: pb.AssignCategoriesRequest, context: Any) -> pb.AssignCategoriesResponse:
        await self._assigned.assign(request)
        return pb.AssignCategoriesResponse()

    async def UnassignCategories(self, request: pb.UnassignCategoriesRequest, context: Any) -> pb.UnassignCategoriesResponse:
        await self._assigned.unassign(request)
        return pb.UnassignCategoriesResponse()

    async def ListCategoryAssignments(
        self, request: pb.ListCategoryAssignmentsRequest, context: Any
    ) -> pb.ListCategoryAssignmentsResponse:
        return pb.ListCategoryAssignmentsResponse(**await self._assigned.page(request, category_pb2.CategoryAssignment))
