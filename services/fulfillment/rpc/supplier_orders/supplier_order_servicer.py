"""Serves waybill.fulfillment.v1.SupplierOrderService: convert, call, convert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from libs.errors import Violations
from libs.idempotency.key import key_of
from libs.protoconv import mask_paths, text_in
from libs.query.request import page_request
from libs.rpc import current
from services.fulfillment.application.supplier_orders.accept_supplier_order import AcceptSupplierOrder
from services.fulfillment.application.supplier_orders.move_supplier_order_units import MoveSupplierOrderUnits
from services.fulfillment.application.supplier_orders.reject_supplier_order import RejectSupplierOrder
from services.fulfillment.application.supplier_orders.supplier_orders import SupplierOrders
from services.fulfillment.contract.reports import supplier_order_shown
from services.fulfillment.domain.sourcing.model import MAX_LINES, MAX_QUANTITY
from services.fulfillment.domain.supplier_orders.actions.move_units import MovedUnits
from services.fulfillment.domain.supplier_orders.answer_time import SELLER
from services.fulfillment.domain.supplier_orders.costs import has_costs
from services.fulfillment.domain.supplier_orders.supplier_order import SupplierOrder
from services.fulfillment.domain.visibility import sides
from services.fulfillment.rpc.requests import check_supplier_order_id, refuse_duplicates, xp_edit
from waybill.fulfillment.v1 import reasons, supplier_order_pb2, supplier_order_service_pb2_grpc
from waybill.fulfillment.v1 import supplier_order_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the methods call."""

    orders: SupplierOrders
    accept: AcceptSupplierOrder
    reject: RejectSupplierOrder
    move: MoveSupplierOrderUnits


class SupplierOrderServicer(supplier_order_service_pb2_grpc.SupplierOrderServiceServicer):
    """Supplier orders for suppliers and the seller."""

    def __init__(self, use: UseCases) -> None:
        self._orders = use.orders
        self._accept = use.accept
        self._reject = use.reject
        self._move = use.move

    async def GetSupplierOrder(self, request: pb.GetSupplierOrderRequest, context: Any) -> pb.GetSupplierOrderResponse:
        """Reads one."""
        order = await self._orders.get(current().principal, request.supplier_order_id)
        return pb.GetSupplierOrderResponse(supplier_order=_shown(order))

    async def ListSupplierOrders(self, request: pb.ListSupplierOrdersRequest, context: Any) -> pb.ListSupplierOrdersResponse:
        """Lists them."""
        page = await self._orders.page(current().principal, page_request(request))
        return pb.ListSupplierOrdersResponse(
            supplier_orders=[_shown(o) for o in page.items], next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def CountSupplierOrders(self, request: pb.CountSupplierOrdersRequest, context: Any) -> pb.CountSupplierOrdersResponse:
        """Counts them."""
        counts = await self._orders.counts(current().principal, request.filter)
        return pb.CountSupplierOrdersResponse(
            counts=[
                pb.SupplierOrderStatusCount(
                    status=supplier_order_pb2.SupplierOrderStatus.Value(f"SUPPLIER_ORDER_STATUS_{status.value}"), count=count
                )
                for status, count in counts.items()
            ]
        )

    async def UpdateSupplierOrder(self, request: pb.UpdateSupplierOrderRequest, context: Any) -> pb.UpdateSupplierOrderResponse:
        """Changes xp."""
        call, found, message = current(), Violations(), request.supplier_order
        check_supplier_order_id(found, "supplier_order.id", message.id)
        paths = mask_paths(found, request.update_mask, message, ("xp",))
        edit = xp_edit(found, "supplier_order.xp", message.xp) if paths else None
        found.raise_if_any()
        order = await self._orders.update(
            call.principal, message.id, message.etag, edit, key_of(call.principal, call.method, request)
        )
        return pb.UpdateSupplierOrderResponse(supplier_order=_shown(order))

    async def AcceptSupplierOrder(self, request: pb.AcceptSupplierOrderRequest, context: Any) -> pb.AcceptSupplierOrderResponse:
        """The supplier says yes."""
        call = current()
        order = await self._accept(call.principal, request.supplier_order_id, key_of(call.principal, call.method, request))
        return pb.AcceptSupplierOrderResponse(supplier_order=_shown(order))

    async def RejectSupplierOrder(self, request: pb.RejectSupplierOrderRequest, context: Any) -> pb.RejectSupplierOrderResponse:
        """The supplier says no."""
        call, found = current(), Violations()
        check_comment(found, request)
        found.raise_if_any()
        order = await self._reject(
            call.principal, request.supplier_order_id, request.comment, key_of(call.principal, call.method, request)
        )
        return pb.RejectSupplierOrderResponse(supplier_order=_shown(order))

    async def MoveSupplierOrderUnits(
        self, request: pb.MoveSupplierOrderUnitsRequest, context: Any
    ) -> pb.MoveSupplierOrderUnitsResponse:
        """The seller gives units to another supplier."""
        call, found = current(), Violations()
        check_supplier_order_id(found, "supplier_order_id", request.supplier_order_id)
        found.check_id("supplier_id", request.supplier_id, required=False)
        wanted = _units(found, request.units)
        found.raise_if_any()
        target = SELLER if request.supplier_id == call.principal.party_id else request.supplier_id
        key = key_of(call.principal, call.method, request)
        moved = await self._move(call.principal, request.supplier_order_id, wanted, target, key)
        return pb.MoveSupplierOrderUnitsResponse(supplier_order=_shown(moved.left), target=_shown(moved.home))


def _shown(order: SupplierOrder) -> supplier_order_pb2.SupplierOrder:
    """As whoever calls sees it."""
    return supplier_order_shown(order, sides(current().principal, has_costs(order)))


def _units(found: Violations, messages: Sequence[pb.MovedUnits]) -> list[MovedUnits]:
    if not messages:
        found.add("units", reasons.FIELD_REQUIRED, "at least one line")
    if len(messages) > MAX_LINES:
        found.add("units", reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,} lines")
    units = [MovedUnits(f"units[{n}]", m.line_item_id, m.quantity) for n, m in enumerate(messages[:MAX_LINES])]
    for u in units:
        found.check_id(f"{u.field}.line_item_id", u.line_item_id)
        found.require(
            f"{u.field}.quantity", 1 <= u.quantity <= MAX_QUANTITY, reasons.VALUE_OUT_OF_RANGE, f"must be 1 to {MAX_QUANTITY:,}"
        )
    refuse_duplicates(found, [(f"{u.field}.line_item_id", u.line_item_id) for u in units])
    return units


def check_comment(found: Violations, request: pb.RejectSupplierOrderRequest) -> None:
    """Notes what is wrong with the comment of a rejection."""
    text_in(found, "comment", request.comment, 2_000)
