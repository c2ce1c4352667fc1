"""SpecService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.protoconv import mask_paths
from libs.resource.contract import Methods
from services.catalog.application.choices.specifying import changes_specs, ends_specs, makes_specs
from services.catalog.application.ports import CatalogWork
from services.catalog.contract.specs import SPEC
from services.catalog.domain.suppliers.supply import refuse
from services.catalog.rpc.catalogs.assignments import Assigned, supplier
from waybill.catalog.v1 import spec_service_pb2 as pb
from waybill.catalog.v1 import spec_service_pb2_grpc as pb_grpc
from waybill.catalog.v1.spec_pb2 import ProductSpec, Spec


class SpecServicer(pb_grpc.SpecServiceServicer):
    """Specs of products, and which products have them."""

    def __init__(self, specs: Methods[CatalogWork], of_products: Assigned) -> None:
        self._specs = specs
        self._of_products = of_products

    async def CreateSpec(self, request: pb.CreateSpecRequest, context: Any) -> pb.CreateSpecResponse:
        spec, wrong, guard = request.spec, Violations(), None
        if supplier_id := supplier():
            refuse(wrong, "spec.owner_supplier_id", spec.owner_supplier_id in ("", supplier_id))
            spec = Spec()
            spec.CopyFrom(request.spec)
            spec.owner_supplier_id = supplier_id
            guard = makes_specs(supplier_id)
        (made,) = await self._specs.create(request, [spec], "spec", guard=guard, before=wrong)
        return pb.CreateSpecResponse(spec=made)

    async def GetSpec(self, request: pb.GetSpecRequest, context: Any) -> pb.GetSpecResponse:
        return pb.GetSpecResponse(spec=await self._specs.get(request.spec_id))

    async def ListSpecs(self, request: pb.ListSpecsRequest, context: Any) -> pb.ListSpecsResponse:
        page = await self._specs.list(request)
        return pb.ListSpecsResponse(specs=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateSpec(self, request: pb.UpdateSpecRequest, context: Any) -> pb.UpdateSpecResponse:
        # What is wrong with the mask is found again, and noted, by the update.
        paths = mask_paths(Violations(), request.update_mask, request.spec, SPEC.attributes)
        spec = await self._specs.update(request, request.spec, "spec", guard=changes_specs(supplier(), paths))
        return pb.UpdateSpecResponse(spec=spec)

    async def DeleteSpec(self, request: pb.DeleteSpecRequest, context: Any) -> pb.DeleteSpecResponse:
        await self._specs.delete(request, request.spec_id, guard=ends_specs(supplier()))
        return pb.DeleteSpecResponse()

    async def AssignProductSpecs(self, request: pb.AssignProductSpecsRequest, context: Any) -> pb.AssignProductSpecsResponse:
        await self._of_products.assign(request)
        return pb.AssignProductSpecsResponse()

    async def UnassignProductSpecs(
        self, request: pb.UnassignProductSpecsRequest, context: Any
    ) -> pb.UnassignProductSpecsResponse:
        await self._of_products.unassign(request)
        return pb.UnassignProductSpecsResponse()

    async def ListProductSpecs(self, request: pb.ListProductSpecsRequest, context: Any) -> pb.ListProductSpecsResponse:
        return pb.ListProductSpecsResponse(**await self._of_products.page(request, ProductSpec))
