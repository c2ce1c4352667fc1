"""OrderService."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from libs.auth import PartyKind, Principal
from libs.errors import Violations, missing
from libs.idempotency.key import RequestKey, key_of
from libs.ids import valid_id
from libs.protoconv import mask_paths, text_in, time_out
from libs.query.request import page_request
from libs.rpc import current
from services.order.application.aftercare.cancel_order import CancelOrder
from services.order.application.aftercare.complete_order import ChangeOrder
from services.order.application.aftercare.forward_order import ForwardOrder
from services.order.application.building.create_order import CreateOrder
from services.order.application.building.delete_order import DeleteOrder
from services.order.application.building.transfer_order import TransferOrder
from services.order.application.building.update_order import PATHS, UpdateOrder
from services.order.application.progress.hold_order import HoldOrder
from services.order.application.progress.set_sub_status import SetSubStatus, Setting
from services.order.application.reading.read_orders import ReadOrders
from services.order.application.reading.watch_orders import Wanted, WatchOrders
from services.order.rpc.convert_in import direction_in, lines_in, masked, order_in
from services.order.rpc.convert_lines import lines_out
from services.order.rpc.convert_out import (
    any_lines,
    any_order,
    event_out,
    order_out,
    quoted_out,
    reported,
    shipment_out,
    status_out,
    supplier_order_out,
)
from services.order.rpc.reading import watch_token
from waybill.order.v1 import order_service_pb2 as pb
from waybill.order.v1 import order_service_pb2_grpc as pb_grpc
from waybill.order.v1 import reasons

TO_ANSWER = 0.25
"""Seconds of a call's deadline that are left for saying that a version has not come; no setting, as no caller sees it."""
MAX_WATCHED = 100
MAX_SETTINGS = 1_000
MAX_TYPES = 50


def request_key(request: Any) -> tuple[Principal, RequestKey | None]:
    """The caller and the key of an idempotent request. An order whose id is none is NOT_FOUND before anything is stored."""
    call = current()
    caller = call.principal
    order_id = getattr(request, "order_id", None)
    if order_id is not None and not valid_id(order_id):
        raise missing("order", order_id)
    return caller, key_of(caller, call.method.rsplit("/", 1)[1], request)


@dataclass(frozen=True, slots=True)
class OrderUseCases:
    """What the servicer calls."""

    create: CreateOrder
    read: ReadOrders
    update: UpdateOrder
    cancel: CancelOrder
    delete: DeleteOrder
    transfer: TransferOrder
    changes: ChangeOrder
    forward: ForwardOrder
    hold: HoldOrder
    sub_status: SetSubStatus
    watch: WatchOrders


class OrderServicer(pb_grpc.OrderServiceServicer):
    """Converts, calls, converts."""

    def __init__(self, use: OrderUseCases, version_wait: float) -> None:
        """`version_wait` is the most seconds that a read waits for a version."""
        self._use = use
        self._version_wait = version_wait

    async def CreateOrder(self, request: pb.CreateOrderRequest, context: Any) -> pb.CreateOrderResponse:
        caller, key = request_key(request)
        found = Violations()
        draft = order_in(found, request.order)
        made = await self._use.create(caller, draft, lines_in(found, request.line_items), found, key)
        return pb.CreateOrderResponse(**quoted_out(made))

    async def GetOrder(self, request: pb.GetOrderRequest, context: Any) -> pb.GetOrderResponse:
        caller = current().principal
        found = await self._use.read.get(
            caller,
            request.order_id,
            direction_in(request.direction),
            request.include_line_items,
            request.min_version,
            (current().remaining(self._version_wait) or 0.0) - TO_ANSWER,
        )
        lines = any_lines(found, caller) if request.include_line_items else ()
        return pb.GetOrderResponse(order=any_order(found.order, caller), line_items=lines)

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Any) -> pb.ListOrdersResponse:
        caller = current().principal
        bound = {"party": caller.party_id, "user": caller.identity}
        page = await self._use.read.page(caller, direction_in(request.direction), page_request(request), bound)
        return pb.ListOrdersResponse(
            orders=[any_order(o, caller) for o in page.items], next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def CountOrders(self, request: pb.CountOrdersRequest, context: Any) -> pb.CountOrdersResponse:
        counts = await self._use.read.counts(current().principal, direction_in(request.direction), request.filter)
        return pb.CountOrdersResponse(
            counts=[pb.OrderStatusCount(status=status_out(status.value), count=count) for status, count in counts.items()]
        )

    async def UpdateOrder(self, request: pb.UpdateOrderRequest, context: Any) -> pb.UpdateOrderResponse:
        caller, key = request_key(request)
        found = Violations()
        found.check_id("order.id", request.order.id)
        nameless = bool(found)
        paths = mask_paths(found, request.update_mask, request.order, PATHS)
        draft = order_in(found, masked(request.order, paths))
        if nameless:
            raise found.error()
        order = await self._use.update(caller, draft, paths, request.order.etag, found, key)
        return pb.UpdateOrderResponse(order=order_out(order))

    async def TransferOrder(self, request: pb.TransferOrderRequest, context: Any) -> pb.TransferOrderResponse:
        caller, key = request_key(request)
        return pb.TransferOrderResponse(**quoted_out(await self._use.transfer(caller, request.anonymous_token, key)))

    async def SetOrderSubStatus(self, request: pb.SetOrderSubStatusRequest, context: Any) -> pb.SetOrderSubStatusResponse:
        caller, key = request_key(request)
        found = Violations()
        found.check_id("sub_status", request.sub_status)
        found.raise_if_any()
        setting = Setting(request.order_id, request.sub_status, request.etag)
        (order,) = await self._use.sub_status(caller, [setting], key)
        return pb.SetOrderSubStatusResponse(order=order_out(order))

    async def BatchSetOrderSubStatuses(
        self, request: pb.BatchSetOrderSubStatusesRequest, context: Any
    ) -> pb.BatchSetOrderSubStatusesResponse:
        caller, key = request_key(request)
        found = Violations()
        settings = settings_in(found, request.settings)
        found.raise_if_any()
        orders = await self._use.sub_status(caller, settings, key)
        return pb.BatchSetOrderSubStatusesResponse(orders=[order_out(order) for order in orders])

    async def CancelOrder(self, request: pb.CancelOrderRequest, context: Any) -> pb.CancelOrderResponse:
        caller, key = request_key(request)
        found = Violations()
        check_comment(found, request.comment)
        found.raise_if_any()
        order = await self._use.cancel(caller, request.order_id, request.comment, key)
        return pb.CancelOrderResponse(order=order_out(order))

    async def DeleteOrder(self, request: pb.DeleteOrderRequest, context: Any) -> pb.DeleteOrderResponse:
        caller, key = request_key(request)
        await self._use.delete(caller, request.order_id, request.etag, key)
        return pb.DeleteOrderResponse()

    async def CompleteOrder(self, request: pb.CompleteOrderRequest, context: Any) -> pb.CompleteOrderResponse:
        caller, key = request_key(request)
        found = Violations()
        check_comment(found, request.comment)
        found.raise_if_any()
        order = await self._use.changes.complete(caller, request.order_id, request.comment, request.etag, key)
        return pb.CompleteOrderResponse(order=order_out(order))

    async def ForwardOrder(self, request: pb.ForwardOrderRequest, context: Any) -> pb.ForwardOrderResponse:
        caller, key = request_key(request)
        order, suppliers = await self._use.forward(caller, request.order_id, key)
        shown = [supplier_order_out(view, caller) for view in suppliers]
        return pb.ForwardOrderResponse(order=order_out(order), supplier_orders=shown)

    async def HoldOrder(self, request: pb.HoldOrderRequest, context: Any) -> pb.HoldOrderResponse:
        caller, key = request_key(request)
        found = Violations()
        check_comment(found, request.comment)
        found.raise_if_any()
        order = await self._use.hold.place(caller, request.order_id, request.comment, key)
        return pb.HoldOrderResponse(order=order_out(order))

    async def ReleaseOrderHold(self, request: pb.ReleaseOrderHoldRequest, context: Any) -> pb.ReleaseOrderHoldResponse:
        caller, key = request_key(request)
        found = Violations()
        found.check_id("hold_id", request.hold_id)
        check_comment(found, request.comment)
        found.raise_if_any()
        order = await self._use.hold.release(caller, request.order_id, request.hold_id, request.comment, key)
        return pb.ReleaseOrderHoldResponse(order=order_out(order))

    async def GetOrderTree(self, request: pb.GetOrderTreeRequest, context: Any) -> pb.GetOrderTreeResponse:
        caller = current().principal
        tree = await self._use.read.tree(caller, request.order_id)
        return pb.GetOrderTreeResponse(
            order=order_out(tree.order),
            line_items=lines_out(tree.order, tree.lines, tree.allocations),
            supplier_orders=[reported(view, caller) for view in tree.supplier_orders],
            shipments=[shipment_out(document, caller.party_kind is PartyKind.BUYER) for document in tree.shipments],
        )

    async def ListOrderHistory(self, request: pb.ListOrderHistoryRequest, context: Any) -> pb.ListOrderHistoryResponse:
        order_id, page = await self._use.read.history(
            current().principal, request.order_id, direction_in(request.direction), page_request(request)
        )
        events = [event_out(order_id, event) for event in page.items]
        return pb.ListOrderHistoryResponse(events=events, next_page_token=page.next_page_token, total_size=page.total_size)

    async def WatchOrders(self, request: pb.WatchOrdersRequest, context: Any) -> AsyncIterator[pb.WatchOrdersResponse]:
        caller = current().principal
        found = Violations()
        found.require("order_ids", len(request.order_ids) <= MAX_WATCHED, reasons.TOO_MANY_ITEMS, f"at most {MAX_WATCHED}")
        found.require("event_types", len(request.event_types) <= MAX_TYPES, reasons.TOO_MANY_ITEMS, f"at most {MAX_TYPES}")
        both = request.from_start and request.resume_token
        found.require("from_start", not both, reasons.FIELD_INVALID, "not together with a resume token")
        found.raise_if_any()
        wanted = Wanted(direction_in(request.direction), tuple(request.order_ids), tuple(request.event_types))
        bound = watch_token.binding(caller, wanted)
        start = watch_token.start(request.resume_token, bound, request.from_start)
        async with aclosing(self._use.watch(caller, wanted, start)) as changes:
            async for change in changes:
                answer = pb.WatchOrdersResponse(resume_token=watch_token.token(change, bound))
                if change.event is None:
                    answer.checkpoint.CopyFrom(pb.WatchCheckpoint(checkpoint_time=time_out(change.time)))
                else:
                    answer.event.CopyFrom(event_out(change.order_id, change.event))
                yield answer


def check_comment(found: Violations, comment: str) -> None:
    """Notes what is wrong with the comment of a cancel, a completion or a hold."""
    text_in(found, "comment", comment, 2_000)


def settings_in(found: Violations, given: Sequence[pb.OrderSubStatusSetting]) -> list[Setting]:
    """1 to 1,000, each order once."""
    fits = 0 < len(given) <= MAX_SETTINGS
    found.require("settings", fits, reasons.TOO_MANY_ITEMS, f"1 to {MAX_SETTINGS:,} at a time")
    seen: set[str] = set()
    for i, one in enumerate(given[:MAX_SETTINGS]):
        found.check_id(f"settings[{i}].order_id", one.order_id)
        found.check_id(f"settings[{i}].sub_status", one.sub_status)
        found.require(f"settings[{i}].order_id", one.order_id not in seen, reasons.DUPLICATE_ITEM, "stands twice")
        seen.add(one.order_id)
    return [Setting(one.order_id, one.sub_status, one.etag) for one in given]
