"""Stock as messages."""

from __future__ import annotations

from google.protobuf.json_format import MessageToDict

from libs.json_value import JsonObject
from libs.protoconv import address_out, time_out, xp_out
from services.fulfillment.domain.stock.availability import Asked, Availability
from services.fulfillment.domain.stock.inventory import InventoryRecord, LedgerEntry
from services.fulfillment.domain.stock.thresholds import StockAlert
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.type.v1.address_pb2 import Address

_KIND = {name.removeprefix("STOCK_MOVEMENT_KIND_"): number for name, number in inventory_pb2.StockMovementKind.items()}


def record_out(r: InventoryRecord) -> inventory_pb2.InventoryRecord:
    """An inventory record with its counters."""
    return inventory_pb2.InventoryRecord(
        id=r.id,
        product_id=r.product_id,
        variant_id=r.variant_id,
        supplier_id=r.supplier_id,
        location_id=r.location_id,
        address=address_out(Address, r.address),
        on_hand=r.on_hand,
        reserved=r.reserved,
        allocated=r.allocated,
        available=r.available,
        shortage=max(0, -r.available),
        can_exceed=r.can_exceed,
        priority=r.priority,
        active=r.active,
        pickup=r.pickup,
        xp=xp_out(r.xp),
        etag=str(r.version),
        create_time=time_out(r.create_time),
        update_time=time_out(r.update_time),
        notify_below=r.notify_below,
        low_stock=r.low_stock,
        buyer_ids=r.buyer_ids,
        user_group_ids=r.user_group_ids,
        backorder_limit=r.backorder_limit,
        expected_time=time_out(r.expected_time),
    )


def record_body(r: InventoryRecord) -> JsonObject:
    """The same as JSON: what the feed of changes keeps of a record that is gone."""
    body: JsonObject = MessageToDict(record_out(r), preserving_proto_field_name=True)
    return body


def movement_out(m: LedgerEntry) -> inventory_pb2.StockMovement:
    """An entry of the ledger."""
    return inventory_pb2.StockMovement(
        key=str(m.key),
        inventory_record_id=m.record_id,
        product_id=m.product_id,
        variant_id=m.variant_id,
        kind=_KIND[m.kind],
        on_hand_change=m.on_hand,
        reserved_change=m.reserved,
        allocated_change=m.allocated,
        order_key=m.order_key,
        attempt=m.attempt,
        line_item_id=m.line_item_id,
        shipment_id=m.shipment_id,
        user_id=m.user_id,
        note=m.note,
        create_time=time_out(m.create_time),
    )


def alert_out(a: StockAlert) -> inventory_pb2.StockAlert:
    """A threshold that was crossed."""
    return inventory_pb2.StockAlert(
        inventory_record_id=a.record_id,
        number=a.number,
        product_id=a.product_id,
        variant_id=a.variant_id,
        supplier_id=a.supplier_id,
        kind=inventory_pb2.StockAlertKind.Value(f"STOCK_ALERT_KIND_{a.kind}"),
        notify_below=a.notify_below,
        available=a.available,
        create_time=time_out(a.create_time),
    )


def availability_out(asked: Asked, found: Availability, totals_only: bool) -> inventory_service_pb2.ProductAvailability:
    """What can be had of a product or a variant."""
    return inventory_service_pb2.ProductAvailability(
        product_id=asked.product_id,
        variant_id=asked.variant_id or "",
        available=found.available,
        can_exceed=found.can_exceed,
        backorderable=found.backorderable,
        expected_time=time_out(found.expected_time),
        records=[
            inventory_service_pb2.RecordAvailability(
                inventory_record_id=p.record_id,
                supplier_id=p.supplier_id,
                location_id=p.location_id,
                variant_id=p.variant_id,
                available=p.available,
                can_exceed=p.can_exceed,
                pickup=p.pickup,
                active=p.active,
            )
            for p in (() if totals_only else found.places)
        ],
    )
