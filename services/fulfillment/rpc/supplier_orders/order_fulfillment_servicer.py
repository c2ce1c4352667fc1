"""Serves waybill.fulfillment.v1.OrderFulfillmentService: convert, call, convert. For services only."""

from __future__ import annotations

from typing import Any

from libs.errors import invalid
from services.fulfillment.application.supplier_orders.supplier_orders import SupplierOrders
from services.fulfillment.contract.reports import shipment_report, supplier_order_out
from waybill.fulfillment.v1 import order_fulfillment_service_pb2 as pb
from waybill.fulfillment.v1 import order_fulfillment_service_pb2_grpc, reasons


class OrderFulfillmentServicer(order_fulfillment_service_pb2_grpc.OrderFulfillmentServiceServicer):
    """What has become of whole orders, for the order service."""

    def __init__(self, orders: SupplierOrders) -> None:
        self._orders = orders

    async def BatchGetOrderFulfillment(
        self, request: pb.BatchGetOrderFulfillmentRequest, context: Any
    ) -> pb.BatchGetOrderFulfillmentResponse:
        """Everything of some buyer orders."""
        if len(request.order_keys) > 1_000:
            raise invalid("order_keys", reasons.TOO_MANY_ITEMS, "at most 1,000")
        found = await self._orders.of_orders(request.order_keys)
        return pb.BatchGetOrderFulfillmentResponse(
            supplier_orders=[supplier_order_out(o) for o in found.orders],
            shipments=[shipment_report(s) for s in found.shipments],
            left_order_keys=found.left,
        )
