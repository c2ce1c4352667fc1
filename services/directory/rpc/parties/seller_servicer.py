"""SellerService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.directory.application.ports import DirectoryWork
from services.directory.application.reads import Contexts
from waybill.directory.v1 import seller_service_pb2 as pb
from waybill.directory.v1 import seller_service_pb2_grpc as pb_grpc


class SellerServicer(pb_grpc.SellerServiceServicer):
    """The owner of the marketplace."""

    def __init__(self, sellers: Methods[DirectoryWork], contexts: Contexts) -> None:
        self._sellers = sellers
        self._contexts = contexts

    async def GetSeller(self, request: pb.GetSellerRequest, context: Any) -> pb.GetSellerResponse:
        return pb.GetSellerResponse(seller=await self._sellers.get(await self._contexts.seller_id()))

    async def UpdateSeller(self, request: pb.UpdateSellerRequest, context: Any) -> pb.UpdateSellerResponse:
        return pb.UpdateSellerResponse(seller=await self._sellers.update(request, request.seller, "seller"))
