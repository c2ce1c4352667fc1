"""Supplier orders and shipments as messages: what callers see, what the order service hears, what the inspection compares."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import asdict, replace

from google.type.money_pb2 import Money

from libs.protoconv import address_out, money_out, time_out, xp_out
from services.fulfillment.domain.shipments.shipment import Shipment
from services.fulfillment.domain.supplier_orders.costs import commission, cost, line_cost, payable
from services.fulfillment.domain.supplier_orders.supplier_order import OrderLine, SupplierOrder
from services.fulfillment.domain.supplier_orders.worth import Amounts, canceled, shipped
from services.fulfillment.domain.visibility import Side
from waybill.fulfillment.v1 import shipment_pb2, supplier_order_pb2
from waybill.type.v1.address_pb2 import Address
from waybill.type.v1.canceled_amounts_pb2 import CanceledAmounts

_STATUS = {name.removeprefix("SUPPLIER_ORDER_STATUS_"): number for name, number in supplier_order_pb2.SupplierOrderStatus.items()}

_SIDES: dict[Side, dict[str, tuple[str, ...]]] = {
    Side.SELL: {
        "SupplierOrder": ("subtotal", "discount", "shipping_cost", "tax", "included_tax", "total", "canceled", "shipped_total"),
        "SupplierOrderLine": ("unit_price", "subtotal", "discount", "tax", "included_tax"),
        "ShipSelection": ("cost", "included_tax"),
    },
    Side.COST: {"SupplierOrder": ("cost", "payable"), "SupplierOrderLine": ("unit_cost", "cost")},
    Side.COMMISSION: {"SupplierOrder": ("commission",)},
    Side.BUYER: {"SupplierOrder": ("user_id", "client_id", "billing_address"), "SupplierOrderLine": ("cost_center",)},
}
"""By side, the fields of each message that show it."""


def supplier_order_out(o: SupplierOrder) -> supplier_order_pb2.SupplierOrder:
    """A supplier order, which is also its report."""
    return supplier_order_pb2.SupplierOrder(
        id=o.id,
        key=str(o.key),
        order_key=o.order_key,
        order_id=o.order_id,
        supplier_id=o.supplier_id,
        status=_STATUS[o.status.value],
        implicit=o.implicit,
        buyer_id=o.buyer_id,
        user_id=o.user_id,
        client_id=o.client_id,
        currency=o.currency,
        line_items=[_line_out(line, o.currency) for line in o.lines],
        subtotal=money_out(o.subtotal, o.currency),
        discount=money_out(o.discount, o.currency),
        shipping_cost=money_out(o.shipping_cost, o.currency),
        tax=money_out(o.tax, o.currency),
        total=money_out(o.total, o.currency),
        included_tax=money_out(o.included_tax, o.currency),
        ship_selections=[
            supplier_order_pb2.ShipSelection(
                ship_estimate_id=s.ship_estimate_id,
                ship_method_id=s.ship_method_id,
                ship_method_name=s.ship_method_name,
                carrier_id=s.carrier_id,
                cost=money_out(s.cost, o.currency),
                pickup=s.pickup,
                line_item_ids=list(dict.fromkeys(i.line_item_id for i in s.items)),
                included_tax=money_out(s.included_tax, o.currency),
            )
            for s in o.selections
        ],
        shipping_address=address_out(Address, o.shipping_address),
        billing_address=address_out(Address, o.billing_address),
        comments=o.comments,
        xp=xp_out(o.xp),
        version=o.version,
        etag=str(o.version),
        create_time=time_out(o.create_time),
        update_time=time_out(o.update_time),
        accept_time=time_out(o.accept_time),
        reject_time=time_out(o.reject_time),
        complete_time=time_out(o.complete_time),
        cancel_time=time_out(o.cancel_time),
        reject_comment=o.reject_comment,
        accept_by=time_out(o.accept_by),
        unclaimed=o.unclaimed,
        moved=o.moved,
        held=o.held,
        canceled=canceled_out(canceled(o), o.currency),
        cost=_known(cost(o), o.currency),
        payable=_known(payable(o), o.currency),
        commission=_known(commission(o), o.currency),
        shipped_total=money_out(shipped(o), o.currency),
    )


def _known(amount: int | None, currency: str) -> Money | None:
    return None if amount is None else money_out(amount, currency)


def supplier_order_shown(o: SupplierOrder, sides: Set[Side]) -> supplier_order_pb2.SupplierOrder:
    """A supplier order with the sides that its reader may see."""
    made = supplier_order_out(o)
    for side in _SIDES.keys() - sides:
        for part in (made, *made.line_items, *made.ship_selections):
            for name in _SIDES[side].get(part.DESCRIPTOR.name, ()):
                part.ClearField(name)
    return made


def canceled_out(a: Amounts, currency: str) -> CanceledAmounts:
    """What canceled units were sold for."""
    return CanceledAmounts(
        subtotal=money_out(a.subtotal, currency),
        discount=money_out(a.discount, currency),
        shipping_cost=money_out(a.shipping_cost, currency),
        tax=money_out(a.tax, currency),
        total=money_out(a.total, currency),
        included_tax=money_out(a.included_tax, currency) if a.included_tax else None,
    )


def _line_out(line: OrderLine, currency: str) -> supplier_order_pb2.SupplierOrderLine:
    return supplier_order_pb2.SupplierOrderLine(
        line_item_id=line.line_item_id,
        product_id=line.product_id,
        product_name=line.product_name,
        variant_id=line.variant_id,
        cost_center=line.cost_center,
        shipping_account=line.shipping_account,
        comments=line.comments,
        date_needed=time_out(line.date_needed),
        specs=[supplier_order_pb2.SupplierOrderLineSpec(**asdict(spec)) for spec in line.specs],
        quantity=line.quantity,
        quantity_shipped=line.shipped,
        quantity_canceled=line.canceled,
        quantity_packed=line.packed,
        quantity_unallocated=line.unallocated,
        unit_price=money_out(line.unit_price, currency),
        subtotal=money_out(line.subtotal, currency),
        discount=money_out(line.discount, currency),
        tax=money_out(line.tax, currency),
        included_tax=money_out(line.included_tax, currency),
        shippable=line.shippable,
        allocations=[
            supplier_order_pb2.LineAllocation(
                inventory_record_id=a.record_id,
                ship_from_id=a.ship_from_id,
                quantity=a.quantity,
                quantity_shipped=a.shipped,
                quantity_backordered=a.waiting,
                expected_time=time_out(a.expected_time) if a.waiting else None,
            )
            for a in line.allocations
        ],
        shipping_address=address_out(Address, line.shipping_address),
        pickup_location_id=line.pickup_location_id,
        xp=xp_out(line.xp),
        unit_cost=_known(line.unit_cost, currency),
        cost=_known(line_cost(line, currency), currency),
        quantity_backordered=line.waiting,
        expected_time=time_out(line.expected_time),
    )


def shipment_report(s: Shipment) -> shipment_pb2.Shipment:
    """A shipment as it is reported to the order service: orders that it holds nothing of any more have an item of quantity 0."""
    return shipment_out(replace(s, items=(*s.items, *s.emptied)))


def shipment_out(s: Shipment) -> shipment_pb2.Shipment:
    """A shipment."""
    return shipment_pb2.Shipment(
        id=s.id,
        key=str(s.key),
        supplier_id=s.supplier_id,
        buyer_id=s.buyer_id,
        carrier=s.carrier,
        tracking_number=s.tracking_number,
        supplier_number=s.supplier_number,
        void_time=time_out(s.void_time),
        delete_time=time_out(s.delete_time),
        ship_method_id=s.ship_method_id,
        cost=None if s.cost is None else money_out(s.cost, s.currency),
        ship_from_id=s.ship_from_id,
        ship_to=address_out(Address, s.ship_to),
        items=[
            shipment_pb2.ShipmentItem(
                supplier_order_id=i.supplier_order_id,
                line_item_id=i.line_item_id,
                quantity=i.quantity,
                inventory_record_id=i.record_id,
                product_id=i.product_id,
                variant_id=i.variant_id,
                order_id=i.order_id,
                order_key=i.order_key,
            )
            for i in s.items
        ],
        ship_time=time_out(s.ship_time),
        delivery_time=time_out(s.delivery_time),
        xp=xp_out(s.xp),
        version=s.version,
        etag=str(s.version),
        create_time=time_out(s.create_time),
        update_time=time_out(s.update_time),
    )
