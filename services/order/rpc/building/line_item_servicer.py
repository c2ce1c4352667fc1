"""LineItemService."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations
from libs.protoconv import mask_paths
from libs.query.request import page_request
from libs.rpc import current
from services.order.application.building.changed_lines import PATHS
from services.order.application.building.line_items import LineItems
from services.order.application.reading.read_orders import ReadOrders
from services.order.contract.problems import problem_out
from services.order.domain.building.drafts import check_count
from services.order.domain.model import MAX_LINES, Order
from services.order.rpc.convert_in import direction_in, lines_in, masked
from services.order.rpc.convert_lines import line_out, lines_out, sum_out
from services.order.rpc.convert_out import order_out, quoted_out, supplier_lines_out
from services.order.rpc.order_servicer import request_key
from services.order.rpc.reading.supplier_lines import page_of
from waybill.order.v1 import line_item_pb2, reasons
from waybill.order.v1 import line_item_service_pb2 as pb
from waybill.order.v1 import line_item_service_pb2_grpc as pb_grpc


class LineItemServicer(pb_grpc.LineItemServiceServicer):
    """Lines in batches."""

    def __init__(self, line_items: LineItems, read: ReadOrders) -> None:
        self._line_items = line_items
        self._read = read

    async def AddLineItems(self, request: pb.AddLineItemsRequest, context: Any) -> pb.AddLineItemsResponse:
        caller, key = request_key(request)
        found = Violations()
        drafts = lines_in(found, request.line_items)
        made = await self._line_items.add(caller, request.order_id, drafts, request.etag, found, key)
        return pb.AddLineItemsResponse(**quoted_out(made))

    async def UpdateLineItems(self, request: pb.UpdateLineItemsRequest, context: Any) -> pb.UpdateLineItemsResponse:
        caller, key = request_key(request)
        found = Violations()
        check_count(found, len(request.line_items))
        found.raise_if_any()
        # Without a mask the fields that are set on any line are changed on all.
        every = line_item_pb2.LineItem()
        for item in request.line_items:
            every.MergeFrom(item)
        paths = mask_paths(found, request.update_mask, every, PATHS)
        drafts = lines_in(found, [masked(item, paths) for item in request.line_items])
        made = await self._line_items.update(caller, request.order_id, drafts, paths, request.etag, found, key)
        return pb.UpdateLineItemsResponse(**quoted_out(made))

    async def RemoveLineItems(self, request: pb.RemoveLineItemsRequest, context: Any) -> pb.RemoveLineItemsResponse:
        caller, key = request_key(request)
        found = Violations()
        few = len(request.line_item_ids) <= MAX_LINES
        found.require("line_item_ids", few, reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,}")
        found.raise_if_any()
        made = await self._line_items.remove(caller, request.order_id, list(request.line_item_ids), request.etag, key)
        problems = [problem_out(p) for p in made.problems]
        return pb.RemoveLineItemsResponse(order=order_out(made.order), price_problems=problems)

    async def ListLineItems(self, request: pb.ListLineItemsRequest, context: Any) -> pb.ListLineItemsResponse:
        caller = current().principal
        query = page_request(request)
        order, page, allocations = await self._read.line_page(caller, request.order_id, direction_in(request.direction), query)
        if isinstance(order, Order):
            items = page.of(lines_out(order, page.items, allocations))
        else:
            items = page_of(supplier_lines_out(order, caller), query)
        return pb.ListLineItemsResponse(
            line_items=items.items, next_page_token=items.next_page_token, total_size=items.total_size
        )

    async def ListLineItemsAcrossOrders(
        self, request: pb.ListLineItemsAcrossOrdersRequest, context: Any
    ) -> pb.ListLineItemsAcrossOrdersResponse:
        caller = current().principal
        bound = {"party": caller.party_id, "user": caller.identity}
        page = await self._read.lines_across(caller, direction_in(request.direction), page_request(request), bound)
        return pb.ListLineItemsAcrossOrdersResponse(
            line_items=[
                pb.OrderLineItem(order_id=one.order_id, line_item=line_out(one.line, one.currency, one.is_submitted))
                for one in page.items
            ],
            next_page_token=page.next_page_token,
            total_size=page.total_size,
        )

    async def SumLineItems(self, request: pb.SumLineItemsRequest, context: Any) -> pb.SumLineItemsResponse:
        caller = current().principal
        bound = {"party": caller.party_id, "user": caller.identity}
        page = await self._read.line_sums(caller, direction_in(request.direction), page_request(request), bound)
        return pb.SumLineItemsResponse(sums=[sum_out(one) for one in page.items], next_page_token=page.next_page_token)
