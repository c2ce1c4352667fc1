"""BuyerService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.resource.contract import Items, Methods
from services.directory.application.ports import DirectoryWork
from services.directory.application.tokens.revocations import EndTokens
from services.directory.rpc.convert import id_in
from waybill.directory.v1 import buyer_service_pb2 as pb
from waybill.directory.v1 import buyer_service_pb2_grpc as pb_grpc


class BuyerServicer(pb_grpc.BuyerServiceServicer):
    """Buyers, and who sees them."""

    def __init__(self, buyers: Methods[DirectoryWork], ending: EndTokens) -> None:
        self._buyers = buyers
        self._ending = ending

    async def CreateBuyer(self, request: pb.CreateBuyerRequest, context: Any) -> pb.CreateBuyerResponse:
        (made,) = await self._buyers.create(request, [request.buyer], "buyer")
        return pb.CreateBuyerResponse(buyer=made)

    async def BatchCreateBuyers(self, request: pb.BatchCreateBuyersRequest, context: Any) -> pb.BatchCreateBuyersResponse:
        made = await self._buyers.create(request, request.buyers, "buyers")
        return pb.BatchCreateBuyersResponse(buyers=made)

    async def GetBuyer(self, request: pb.GetBuyerRequest, context: Any) -> pb.GetBuyerResponse:
        found = await self._buyers.get(id_in("buyer_id", request.buyer_id))
        return pb.GetBuyerResponse(buyer=found)

    async def ListBuyers(self, request: pb.ListBuyersRequest, context: Any) -> pb.ListBuyersResponse:
        page = await self._buyers.list(request)
        return pb.ListBuyersResponse(buyers=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateBuyer(self, request: pb.UpdateBuyerRequest, context: Any) -> pb.UpdateBuyerResponse:
        async def guard(work: DirectoryWork, found: Violations, items: Items) -> None:
            ((_, values),) = items
            if not found:
                await self._ending.of_changed_company(work, f"BUYER:{values['id']}", values["active"])

        made = await self._buyers.update(request, request.buyer, "buyer", guard=guard)
        return pb.UpdateBuyerResponse(buyer=made)

    async def DeleteBuyer(self, request: pb.DeleteBuyerRequest, context: Any) -> pb.DeleteBuyerResponse:
        id = id_in("buyer_id", request.buyer_id)

        async def guard(work: DirectoryWork, _: Violations, __: Items) -> None:
            await self._ending.of_deleted_company(work, f"BUYER:{id}")

        await self._buyers.delete(request, id, guard=guard)
        return pb.DeleteBuyerResponse()
