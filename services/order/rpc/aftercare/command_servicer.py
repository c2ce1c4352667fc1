"""OrderCommandService: for operators."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.protoconv import time_out
from libs.query.request import page_request
from services.order.application.aftercare.operate_commands import OperateCommands, OrderCommand
from waybill.order.v1 import order_command_service_pb2 as pb
from waybill.order.v1 import order_command_service_pb2_grpc as pb_grpc


class OrderCommandServicer(pb_grpc.OrderCommandServiceServicer):
    """Cancels and holds that are not carried out."""

    def __init__(self, use: OperateCommands) -> None:
        self._use = use

    async def ListOrderCommands(self, request: pb.ListOrderCommandsRequest, context: Any) -> pb.ListOrderCommandsResponse:
        page = await self._use.list(page_request(request))
        return pb.ListOrderCommandsResponse(
            order_commands=[_out(one) for one in page.items], next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def DriveOrderCommands(self, request: pb.DriveOrderCommandsRequest, context: Any) -> pb.DriveOrderCommandsResponse:
        found = Violations()
        found.check_id("order_id", request.order_id)
        found.raise_if_any()
        left = await self._use.drive(request.order_id)
        return pb.DriveOrderCommandsResponse(order_commands=[_out(one) for one in left])


def _out(one: OrderCommand) -> pb.OrderCommand:
    return pb.OrderCommand(
        order_id=one.order_id,
        buyer_id=one.buyer_id,
        type=pb.OrderCommandType.Value(f"ORDER_COMMAND_TYPE_{one.type}"),
        decided=one.decided,
        begin_time=time_out(one.begin_time),
        next_action_time=time_out(one.next_action_time),
    )
