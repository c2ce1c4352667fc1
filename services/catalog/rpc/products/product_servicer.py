"""ProductService."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.auth import PartyKind
from libs.errors import Violations
from libs.protoconv import mask_paths
from libs.resource.contract import Guard, Methods, Then
from libs.rpc import current
from services.catalog.application.catalogs.showing import Showing
from services.catalog.application.choices.specifying import keeps_specs_of_owner
from services.catalog.application.ports import CatalogWork, Shown
from services.catalog.application.products.indexing import indexes_again, indexes_products
from services.catalog.application.spec_ports import Configuring
from services.catalog.application.suppliers.supplying import Supplying
from services.catalog.contract.variants import VARIANT
from services.catalog.domain.catalogs.visibility import Customer
from services.catalog.rpc.catalogs.assignments import supplier
from services.catalog.rpc.catalogs.seen import SeenProducts
from services.catalog.rpc.choices.choices import choices_in, specs_out
from services.catalog.rpc.suppliers.owned import owned
from waybill.catalog.v1 import product_service_pb2 as pb
from waybill.catalog.v1 import product_service_pb2_grpc as pb_grpc
from waybill.catalog.v1 import reasons
from waybill.catalog.v1.product_pb2 import Product

MAX_LOOKUP = 5_000


def _sees_active_only() -> bool:
    caller = current().principal
    return caller.service is None and caller.party_kind is PartyKind.BUYER


class ProductServicer(pb_grpc.ProductServiceServicer):
    """Products and their look-up by other services."""

    def __init__(
        self,
        products: Methods[CatalogWork],
        shown: Shown,
        showing: Showing,
        placing: Then[CatalogWork],
        ending: Guard[CatalogWork],
        supplying: Supplying,
        configuring: Configuring,
    ) -> None:
        """`placing` puts the seller's new products where they stand and are found, `ending` takes those from there that go."""
        self._products = products
        self._seen = SeenProducts(products, shown, showing)
        self._shown = shown
        self._showing = showing
        self._placing = placing
        self._ending = ending
        self._supplying = supplying
        self._configuring = configuring

    async def _seen_by(self, found: Violations, customer: Customer) -> Methods[CatalogWork]:
        """The products as a service asks for them: all, or what a customer is shown."""
        caller = current().principal
        asked = customer.buyer_id or customer.user_id
        found.require("buyer_id", not asked or caller.service is not None, reasons.FIELD_INVALID, "is for services only")
        found.check_id("buyer_id", customer.buyer_id, required=bool(customer.user_id))
        found.check_id("user_id", customer.user_id, required=False)
        found.raise_if_any()
        if not asked:
            return await self._seen.methods()
        return self._shown.products(await self._showing.products(caller, customer), inactive=True)

    async def _create(self, request: Any, products: Sequence[Product], field: str, path: str) -> list[Any]:
        if not (supplier_id := supplier()):
            return await self._products.create(request, products, field, then=self._placing)
        wrong = Violations()
        mine = owned(wrong, supplier_id, products, path)
        guard, placing = self._supplying.creates(supplier_id), indexes_products(self._supplying.places(supplier_id))
        return await self._products.create(request, mine, field, guard=guard, before=wrong, then=placing)

    async def CreateProduct(self, request: pb.CreateProductRequest, context: Any) -> pb.CreateProductResponse:
        (made,) = await self._create(request, [request.product], "product", "product")
        return pb.CreateProductResponse(product=made)

    async def BatchCreateProducts(self, request: pb.BatchCreateProductsRequest, context: Any) -> pb.BatchCreateProductsResponse:
        made = await self._create(request, request.products, "products", "products[{}]")
        return pb.BatchCreateProductsResponse(products=made)

    async def GetProduct(self, request: pb.GetProductRequest, context: Any) -> pb.GetProductResponse:
        found = await (await self._seen.methods()).get(request.product_id)
        return pb.GetProductResponse(product=found)

    async def BatchGetProducts(self, request: pb.BatchGetProductsRequest, context: Any) -> pb.BatchGetProductsResponse:
        wrong = Violations()
        wrong.require("product_ids", len(request.product_ids) <= MAX_LOOKUP, reasons.TOO_MANY_ITEMS, f"at most {MAX_LOOKUP:,}")
        choices = choices_in(wrong, "variants", request.variants)
        seen = await self._seen_by(wrong, Customer(request.buyer_id, request.user_id))
        found, missing = await seen.batch_get(request.product_ids)
        answer = pb.BatchGetProductsResponse(products=found, missing_product_ids=missing)
        if request.with_specs or choices:
            there = [product.id for product in found]
            configured = await self._configuring.of(there, choices, active=_sees_active_only())
            answer.product_specs.extend(specs_out(configured) if request.with_specs else ())
            answer.variants.extend(VARIANT.write(row) for row in configured.variants)
        return answer

    async def ListProducts(self, request: pb.ListProductsRequest, context: Any) -> pb.ListProductsResponse:
        page = await (await self._seen.methods()).list(request)
        return pb.ListProductsResponse(products=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateProduct(self, request: pb.UpdateProductRequest, context: Any) -> pb.UpdateProductResponse:
        # What is wrong with the mask is found again, and noted, by the update.
        paths = mask_paths(Violations(), request.update_mask, request.product, Product.DESCRIPTOR.fields_by_name)
        guard = self._supplying.changes(supplier_id, paths) if (supplier_id := supplier()) else None
        moves = "owner_supplier_id" in paths
        if moves and guard is None:
            guard = keeps_specs_of_owner
        ending = self._supplying.ends_proposals() if moves else None
        then = indexes_again(ending, xp="xp" in paths)
        product = await self._products.update(request, request.product, "product", guard=guard, then=then)
        return pb.UpdateProductResponse(product=product)

    async def DeleteProduct(self, request: pb.DeleteProductRequest, context: Any) -> pb.DeleteProductResponse:
        await self._products.delete(request, request.product_id, guard=self._ending)
        return pb.DeleteProductResponse()
