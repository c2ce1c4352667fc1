"""ShipOrder: all that is open of one supplier order goes on one shipment."""

from __future__ import annotations

from services.fulfillment.domain.refusal import Refusal
from services.fulfillment.domain.shipments.actions.ship import Loading, Wanted
from services.fulfillment.domain.shipments.shipment import ShipmentItem
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SupplierOrder
from waybill.fulfillment.v1 import reasons


def pack_all(loading: Loading, order: SupplierOrder, field: str) -> tuple[ShipmentItem, ...]:
    """Puts every open unit on one shipment; what stands against it is a refusal.

    A unit that is packed elsewhere does: the caller means all, so each line of which some are is named. Units that need
    no shipment are left to be delivered.
    """
    elsewhere = [_elsewhere(order, line, field) for line in order.lines if line.packed]
    loading.refusals.extend(elsewhere)
    wanted = [Wanted(field, order.id, line.line_item_id, line.packable) for line in order.lines if line.packable]
    if wanted:
        return loading.pack(wanted, field)
    loading.check_status(order, field)
    if not loading.refusals:
        loading.refusals.append(_nothing_open(order, field))
    return ()


def _elsewhere(order: SupplierOrder, line: OrderLine, field: str) -> Refusal:
    text = f"{line.packed} units of line {line.line_item_id} of supplier order {order.id} are on a shipment that has not left."
    metadata = {"supplier_order": order.id, "line_item": line.line_item_id, "packed": str(line.packed)}
    return Refusal(field, reasons.LINE_ON_OTHER_SHIPMENT, text, metadata)


def _nothing_open(order: SupplierOrder, field: str) -> Refusal:
    text = f"Of supplier order {order.id} nothing is open that could be shipped."
    return Refusal(field, reasons.NOTHING_OPEN, text, {"supplier_order": order.id})
