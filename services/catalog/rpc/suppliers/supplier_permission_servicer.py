"""SupplierPermissionService."""

from __future__ import annotations

from typing import Any

from services.catalog.rpc.catalogs.assignments import Assigned
from waybill.catalog.v1 import supplier_permission_pb2
from waybill.catalog.v1 import supplier_permission_service_pb2 as pb
from waybill.catalog.v1 import supplier_permission_service_pb2_grpc as pb_grpc


class SupplierPermissionServicer(pb_grpc.SupplierPermissionServiceServicer):
    """Which suppliers keep products of their own."""

    def __init__(self, permissions: Assigned) -> None:
        self._permissions = permissions

    async def AssignSupplierPermissions(
        self, request: pb.AssignSupplierPermissionsRequest, context: Any
    ) -> pb.AssignSupplierPermissionsResponse:
        await self._permissions.assign(request)
        return pb.AssignSupplierPermissionsResponse()

    async def UnassignSupplierPermissions(
        self, request: pb.UnassignSupplierPermissionsRequest, context: Any
    ) -> pb.UnassignSupplierPermissionsResponse:
        await self._permissions.unassign(request)
        return pb.UnassignSupplierPermissionsResponse()

    async def ListSupplierPermissions(
        self, request: pb.ListSupplierPermissionsRequest, context: Any
    ) -> pb.ListSupplierPermissionsResponse:
        found = await self._permissions.page(request, supplier_permission_pb2.SupplierPermission)
        return pb.ListSupplierPermissionsResponse(**found)
