"""RateTableService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.shipping.application.ports import ShippingWork
from services.shipping.rpc.references import of_rate_tables
from waybill.shipping.v1 import rate_table_service_pb2 as pb
from waybill.shipping.v1 import rate_table_service_pb2_grpc as pb_grpc


class RateTableServicer(pb_grpc.RateTableServiceServicer):
    """Rate tables."""

    def __init__(self, methods: Methods[ShippingWork]) -> None:
        self._methods = methods

    async def CreateRateTable(self, request: pb.CreateRateTableRequest, context: Any) -> pb.CreateRateTableResponse:
        (made,) = await self._methods.create(request, [request.rate_table], "rate_table", guard=of_rate_tables)
        return pb.CreateRateTableResponse(rate_table=made)

    async def BatchCreateRateTables(
        self, request: pb.BatchCreateRateTablesRequest, context: Any
    ) -> pb.BatchCreateRateTablesResponse:
        made = await self._methods.create(request, request.rate_tables, "rate_tables", guard=of_rate_tables)
        return pb.BatchCreateRateTablesResponse(rate_tables=made)

    async def GetRateTable(self, request: pb.GetRateTableRequest, context: Any) -> pb.GetRateTableResponse:
        return pb.GetRateTableResponse(rate_table=await self._methods.get(request.rate_table_id))

    async def ListRateTables(self, request: pb.ListRateTablesRequest, context: Any) -> pb.ListRateTablesResponse:
        page = await self._methods.list(request)
        return pb.ListRateTablesResponse(rate_tables=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateRateTable(self, request: pb.UpdateRateTableRequest, context: Any) -> pb.UpdateRateTableResponse:
        changed = await self._methods.update(request, request.rate_table, "rate_table")
        return pb.UpdateRateTableResponse(rate_table=changed)

    async def DeleteRateTable(self, request: pb.DeleteRateTableRequest, context: Any) -> pb.DeleteRateTableResponse:
        await self._methods.delete(request, request.rate_table_id)
        return pb.DeleteRateTableResponse()
