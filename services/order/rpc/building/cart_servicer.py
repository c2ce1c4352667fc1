"""CartService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.rpc import current
from services.order.application.building.carts import Carts
from services.order.rpc.convert_in import lines_in
from services.order.rpc.convert_lines import lines_out
from services.order.rpc.convert_out import order_out, quoted_out
from services.order.rpc.order_servicer import request_key
from waybill.order.v1 import cart_service_pb2 as pb
from waybill.order.v1 import cart_service_pb2_grpc as pb_grpc


class CartServicer(pb_grpc.CartServiceServicer):
    """The order that a user means by its cart."""

    def __init__(self, carts: Carts) -> None:
        self._carts = carts

    async def GetCart(self, request: pb.GetCartRequest, context: Any) -> pb.GetCartResponse:
        found = await self._carts.get(current().principal)
        if found is None:
            return pb.GetCartResponse()
        cart, lines = found
        return pb.GetCartResponse(order=order_out(cart.order), line_items=lines_out(cart.order, lines), pinned=cart.pinned)

    async def AddCartItems(self, request: pb.AddCartItemsRequest, context: Any) -> pb.AddCartItemsResponse:
        caller, key = request_key(request)
        found = Violations()
        drafts = lines_in(found, request.line_items)
        return pb.AddCartItemsResponse(**quoted_out(await self._carts.add(caller, drafts, found, key)))

    async def PinCart(self, request: pb.PinCartRequest, context: Any) -> pb.PinCartResponse:
        caller, key = request_key(request)
        return pb.PinCartResponse(order=order_out(await self._carts.pin(caller, request.order_id, key)))

    async def UnpinCart(self, request: pb.UnpinCartRequest, context: Any) -> pb.UnpinCartResponse:
        caller, key = request_key(request)
        await self._carts.unpin(caller, key)
        return pb.UnpinCartResponse()
