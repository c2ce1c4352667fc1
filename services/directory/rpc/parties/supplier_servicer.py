"""SupplierService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.resource.contract import Items, Methods
from services.directory.application.ports import DirectoryWork
from services.directory.application.tokens.revocations import EndTokens
from services.directory.rpc.convert import id_in
from waybill.directory.v1 import supplier_service_pb2 as pb
from waybill.directory.v1 import supplier_service_pb2_grpc as pb_grpc


class SupplierServicer(pb_grpc.SupplierServiceServicer):
    """Suppliers, and who sees them."""

    def __init__(self, suppliers: Methods[DirectoryWork], ending: EndTokens) -> None:
        self._suppliers = suppliers
        self._ending = ending

    async def CreateSupplier(self, request: pb.CreateSupplierRequest, context: Any) -> pb.CreateSupplierResponse:
        (made,) = await self._suppliers.create(request, [request.supplier], "supplier")
        return pb.CreateSupplierResponse(supplier=made)

    async def BatchCreateSuppliers(
        self, request: pb.BatchCreateSuppliersRequest, context: Any
    ) -> pb.BatchCreateSuppliersResponse:
        made = await self._suppliers.create(request, request.suppliers, "suppliers")
        return pb.BatchCreateSuppliersResponse(suppliers=made)

    async def GetSupplier(self, request: pb.GetSupplierRequest, context: Any) -> pb.GetSupplierResponse:
        found = await self._suppliers.get(id_in("supplier_id", request.supplier_id))
        return pb.GetSupplierResponse(supplier=found)

    async def ListSuppliers(self, request: pb.ListSuppliersRequest, context: Any) -> pb.ListSuppliersResponse:
        page = await self._suppliers.list(request)
        return pb.ListSuppliersResponse(suppliers=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateSupplier(self, request: pb.UpdateSupplierRequest, context: Any) -> pb.UpdateSupplierResponse:
        async def guard(work: DirectoryWork, found: Violations, items: Items) -> None:
            ((_, values),) = items
            if not found:
                await self._ending.of_changed_company(work, f"SUPPLIER:{values['id']}", values["active"])

        made = await self._suppliers.update(request, request.supplier, "supplier", guard=guard)
        return pb.UpdateSupplierResponse(supplier=made)

    async def DeleteSupplier(self, request: pb.DeleteSupplierRequest, context: Any) -> pb.DeleteSupplierResponse:
        id = id_in("supplier_id", request.supplier_id)

        async def guard(work: DirectoryWork, _: Violations, __: Items) -> None:
            await self._ending.of_deleted_company(work, f"SUPPLIER:{id}")

        await self._suppliers.delete(request, id, guard=guard)
        return pb.DeleteSupplierResponse()
