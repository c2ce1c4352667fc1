"""A catalog service with a directory that knows the groups that a test says, and short words for its calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from libs.auth import Principal
from libs.service.app import ServiceApp
from tests.support.principals import buyer, seller
from tests.support.server import Served
from waybill.catalog.v1 import catalog_pb2, category_pb2, product_pb2, supplier_permission_pb2
from waybill.catalog.v1 import catalog_service_pb2 as catalogs_pb
from waybill.catalog.v1 import catalog_service_pb2_grpc as catalogs_grpc
from waybill.catalog.v1 import category_service_pb2 as categories_pb
from waybill.catalog.v1 import category_service_pb2_grpc as categories_grpc
from waybill.catalog.v1 import product_assignment_pb2 as placed_pb
from waybill.catalog.v1 import product_assignment_service_pb2 as placing_pb
from waybill.catalog.v1 import product_assignment_service_pb2_grpc as placing_grpc
from waybill.catalog.v1 import product_facet_service_pb2_grpc as facets_grpc
from waybill.catalog.v1 import product_proposal_service_pb2_grpc as proposals_grpc
from waybill.catalog.v1 import product_service_pb2 as products_pb
from waybill.catalog.v1 import product_service_pb2_grpc as products_grpc
from waybill.catalog.v1 import spec_service_pb2_grpc as specs_grpc
from waybill.catalog.v1 import supplier_permission_service_pb2 as permissions_pb
from waybill.catalog.v1 import supplier_permission_service_pb2_grpc as permissions_grpc
from waybill.catalog.v1 import variant_service_pb2_grpc as variants_grpc
from waybill.directory.v1 import membership_service_pb2 as memberships_pb
from waybill.directory.v1 import membership_service_pb2_grpc as memberships_grpc

MAIN = "main"


class FakeMemberships(memberships_grpc.MembershipServiceServicer):
    """A directory that knows the groups of users and counts how often it is asked."""

    def __init__(self) -> None:
        self.groups: dict[str, list[str]] = {}
        self.asked: list[str] = []

    async def ListUserGroupIds(
        self, request: memberships_pb.ListUserGroupIdsRequest, context: Any
    ) -> memberships_pb.ListUserGroupIdsResponse:
        self.asked.append(request.user_id)
        return memberships_pb.ListUserGroupIdsResponse(user_group_ids=self.groups.get(request.user_id, []))


@dataclass(slots=True)
class World:
    """One catalog service."""

    served: Served
    app: ServiceApp
    memberships: FakeMemberships = field(default_factory=FakeMemberships)
    peers: Mapping[str, Any] = field(default_factory=dict)
    """What a shop asks, by service."""

    def catalogs(self, caller: Principal | None = None) -> catalogs_grpc.CatalogServiceStub:
        return self.served.stub(catalogs_grpc.CatalogServiceStub, caller or seller())

    def categories(self, caller: Principal | None = None) -> categories_grpc.CategoryServiceStub:
        return self.served.stub(categories_grpc.CategoryServiceStub, caller or seller())

    def products(self, caller: Principal | None = None) -> products_grpc.ProductServiceStub:
        return self.served.stub(products_grpc.ProductServiceStub, caller or seller())

    def facets(self, caller: Principal | None = None) -> facets_grpc.ProductFacetServiceStub:
        return self.served.stub(facets_grpc.ProductFacetServiceStub, caller or seller())

    def specs(self, caller: Principal | None = None) -> specs_grpc.SpecServiceStub:
        return self.served.stub(specs_grpc.SpecServiceStub, caller or seller())

    def variants(self, caller: Principal | None = None) -> variants_grpc.VariantServiceStub:
        return self.served.stub(variants_grpc.VariantServiceStub, caller or seller())

    def placing(self, caller: Principal | None = None) -> placing_grpc.ProductAssignmentServiceStub:
        return self.served.stub(placing_grpc.ProductAssignmentServiceStub, caller or seller())

    async def make_catalog(self, id: str, **fields: Any) -> None:
        made = catalog_pb2.Catalog(**{"id": id, "name": id, "active": True, **fields})
        await self.catalogs().CreateCatalog(catalogs_pb.CreateCatalogRequest(catalog=made))

    async def make_categories(self, *made: category_pb2.Category, request_id: str = "") -> list[category_pb2.Category]:
        request = categories_pb.BatchCreateCategoriesRequest(categories=made, request_id=request_id)
        return list((await self.categories().BatchCreateCategories(request)).categories)

    async def make_products(self, *ids: str, active: bool = True) -> None:
        made = [product_pb2.Product(id=id, name=id, active=active) for id in ids]
        await self.products().BatchCreateProducts(products_pb.BatchCreateProductsRequest(products=made))

    async def give(self, catalog: str, to: str = "acme", *, categories: bool = False, products: bool = False) -> None:
        given = catalog_pb2.CatalogAssignment(
            catalog_id=catalog, buyer_id=to, view_all_categories=categories, view_all_products=products
        )
        await self.catalogs().AssignCatalogs(catalogs_pb.AssignCatalogsRequest(assignments=[given]))

    async def show(
        self, category: str, to: str = "acme", group: str = "", *, visible: bool = True, products: bool = True
    ) -> None:
        given = category_pb2.CategoryAssignment(
            category_id=category, buyer_id=to, user_group_id=group, visible=visible, view_all_products=products
        )
        await self.categories().AssignCategories(categories_pb.AssignCategoriesRequest(assignments=[given]))

    async def show_product(self, id: str, to: str = "acme", group: str = "") -> None:
        given = placed_pb.ProductAssignment(product_id=id, buyer_id=to, user_group_id=group)
        await self.placing().AssignProducts(placing_pb.AssignProductsRequest(assignments=[given]))

    async def put(self, catalog: str, *ids: str) -> None:
        given = [placed_pb.CatalogProduct(catalog_id=catalog, product_id=id) for id in ids]
        await self.placing().AssignCatalogProducts(placing_pb.AssignCatalogProductsRequest(assignments=given))

    async def take(self, catalog: str, *ids: str) -> None:
        given = [placed_pb.CatalogProduct(catalog_id=catalog, product_id=id) for id in ids]
        await self.placing().UnassignCatalogProducts(placing_pb.UnassignCatalogProductsRequest(assignments=given))

    async def shelve(self, category: str, *ids: str) -> None:
        given = [placed_pb.CategoryProduct(category_id=category, product_id=id) for id in ids]
        await self.placing().AssignCategoryProducts(placing_pb.AssignCategoryProductsRequest(assignments=given))

    def permissions(self, caller: Principal | None = None) -> permissions_grpc.SupplierPermissionServiceStub:
        return self.served.stub(permissions_grpc.SupplierPermissionServiceStub, caller or seller())

    def proposals(self, caller: Principal | None = None) -> proposals_grpc.ProductProposalServiceStub:
        return self.served.stub(proposals_grpc.ProductProposalServiceStub, caller or seller())

    async def permit(self, catalog: str, to: str = "bolt", *fields: str, approval: bool = False, prices: bool = False) -> None:
        given = supplier_permission_pb2.SupplierPermission(
            supplier_id=to, catalog_id=catalog, needs_approval=approval, writable_fields=fields, may_set_prices=prices
        )
        await self.permissions().AssignSupplierPermissions(permissions_pb.AssignSupplierPermissionsRequest(assignments=[given]))

    async def close_main(self) -> None:
        """From now on nobody sees everything."""
        closed = catalog_pb2.Catalog(id=MAIN, open_to_all_buyers=False)
        request = catalogs_pb.UpdateCatalogRequest(catalog=closed)
        request.update_mask.paths.append("open_to_all_buyers")
        await self.catalogs().UpdateCatalog(request)

    async def seen(self, caller: Principal | None = None, **asked: Any) -> list[str]:
        """The products on the list of a caller, a buyer unless given."""
        page = await self.products(caller or buyer()).ListProducts(products_pb.ListProductsRequest(order_by="id", **asked))
        return [p.id for p in page.products]

    async def looked_up(self, *ids: str, acting: Principal | None = None, **asked: str) -> list[str]:
        """The products that the order service finds for a customer, in the seller's name unless another is given."""
        stub = self.served.service_stub(products_grpc.ProductServiceStub, "order", acting or seller())
        answer = await stub.BatchGetProducts(products_pb.BatchGetProductsRequest(product_ids=ids, **asked))
        return sorted(p.id for p in answer.products)


def category(id: str, catalog: str = MAIN, parent: str = "", **fields: Any) -> category_pb2.Category:
    return category_pb2.Category(**{"id": id, "catalog_id": catalog, "parent_id": parent, "name": id, "active": True, **fields})


def fields_of(error: Any) -> list[tuple[str, str]]:
    """Fields and reasons of a refusal."""
    return sorted((f.field, f.reason) for f in error.value.fields)


def ids(items: Iterable[Any]) -> list[str]:
    return [item.id for item in items]
