"""BuyerService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from libs.rpc import current
from services import roles
from services.directory.application.ports import DirectoryWork
from services.directory.domain.access import require_seller
from services.directory.rpc.convert import id_in
from waybill.directory.v1 import buyer_service_pb2 as pb
from waybill.directory.v1 import buyer_service_pb2_grpc as pb_grpc


def _admin() -> None:
    require_seller(current().principal, roles.BUYER_ADMIN)


class BuyerServicer(pb_grpc.BuyerServiceServicer):
    """Buyers, and who sees them."""

    def __init__(self, buyers: Methods[DirectoryWork]) -> None:
        self._buyers = buyers

    async def CreateBuyer(self, request: pb.CreateBuyerRequest, context: Any) -> pb.CreateBuyerResponse:
        _admin()
        (made,) = await self._buyers.create(request, [request.buyer], "buyer")
        return pb.CreateBuyerResponse(buyer=made)

    async def BatchCreateBuyers(self, request: pb.BatchCreateBuyersRequest, context: Any) -> pb.BatchCreateBuyersResponse:
        _admin()
        made = await self._buyers.create(request, request.buyers, "buyers")
        return pb.BatchCreateBuyersResponse(buyers=made)

    async def GetBuyer(self, request: pb.GetBuyerRequest, context: Any) -> pb.GetBuyerResponse:
        found = await self._buyers.get(id_in("buyer_id", request.buyer_id))
        return pb.GetBuyerResponse(buyer=found)

    async def ListBuyers(self, request: pb.ListBuyersRequest, context: Any) -> pb.ListBuyersResponse:
        page = await self._buyers.list(request)
        return pb.ListBuyersResponse(buyers=page.items, next_page_token=page.next_page_token, total_size=page.total_size)

    async def UpdateBuyer(self, request: pb.UpdateBuyerRequest, context: Any) -> pb.UpdateBuyerResponse:
        _admin()
        made = await self._buyers.update(request, request.buyer, "buyer")
        return pb.UpdateBuyerResponse(buyer=made)

    async def DeleteBuyer(self, request: pb.DeleteBuyerRequest, context: Any) -> pb.DeleteBuyerResponse:
        _admin()
        await self._buyers.delete(request, id_in("buyer_id", request.buyer_id))
        return pb.DeleteBuyerResponse()
