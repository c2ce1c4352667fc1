"""Messages about shipments as values: everything is checked, all violations are collected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from libs.errors import Violations
from libs.protoconv import address_in, mask_paths, money_in, text_in, time_in, xp_in
from services.fulfillment.application.shipments.create_shipments import ShipmentDraft
from services.fulfillment.application.shipments.shipments import ShipmentEdit
from services.fulfillment.domain.shipments.actions.ship import LEEWAY, Wanted
from services.fulfillment.domain.shipments.shipment import Shipment
from services.fulfillment.domain.sourcing.model import MAX_LINES, MAX_QUANTITY
from services.fulfillment.rpc.requests import check_supplier_order_id, xp_edit
from waybill.fulfillment.v1 import reasons, shipment_pb2, shipment_service_pb2

LATEST_SHIP_TIME = timedelta(minutes=5)
"""How far in the future a ship time may lie."""
SHIPMENT_FIELDS = (
    "carrier",
    "tracking_number",
    "supplier_number",
    "ship_method_id",
    "cost",
    "ship_from_id",
    "ship_to",
    "ship_time",
    "delivery_time",
    "xp",
)
_SHIPMENT_TEXTS = (("carrier", 200), ("tracking_number", 200), ("supplier_number", 100), ("ship_method_id", 100))


def ship_order_in(found: Violations, m: shipment_service_pb2.ShipOrderRequest, now: datetime) -> ShipmentDraft:
    """A ShipOrderRequest's shipment: without items, and it leaves now unless it says when."""
    check_supplier_order_id(found, "supplier_order_id", m.supplier_order_id)
    if m.shipment.items:
        found.add("shipment.items", reasons.FIELD_INVALID, "must be empty: all that is open goes into it")
    return shipment_in(found, "shipment", m.shipment, now, m.supplier_order_id)


def shipment_in(
    found: Violations, field: str, m: shipment_pb2.Shipment, now: datetime, all_of: str | None = None
) -> ShipmentDraft:
    """A shipment to create, of its items or of all that is open of one supplier order."""
    found.check_id(f"{field}.id", m.id, required=False)
    for name, limit in _SHIPMENT_TEXTS:
        text_in(found, f"{field}.{name}", getattr(m, name), limit)
    found.check_id(f"{field}.ship_from_id", m.ship_from_id, required=False)
    ship_time = _ship_time(found, field, m, now) or (None if all_of is None else now)
    delivery_time = _delivery_time(found, field, m, now)
    _delivered_after(found, field, delivery_time, ship_time)
    cost, currency = _cost(found, field, m)
    return ShipmentDraft(
        field=field,
        id=m.id,
        items=items_in(found, f"{field}.items", m.items) if all_of is None else (),
        carrier=m.carrier,
        tracking_number=m.tracking_number,
        supplier_number=m.supplier_number,
        ship_method_id=m.ship_method_id,
        cost=cost,
        currency=currency,
        ship_from_id=m.ship_from_id,
        ship_to=address_in(found, f"{field}.ship_to", m.ship_to) if m.HasField("ship_to") else None,
        ship_time=ship_time,
        delivery_time=delivery_time,
        xp=xp_in(found, f"{field}.xp", m.xp),
        all_of=all_of or "",
    )


def shipment_edit_in(found: Violations, m: shipment_service_pb2.UpdateShipmentRequest, now: datetime) -> ShipmentEdit:
    """An UpdateShipmentRequest's changes. A delivery time in the mask and not in the shipment is taken back."""
    s = m.shipment
    found.check_id("shipment.id", s.id)
    paths = mask_paths(found, m.update_mask, s, SHIPMENT_FIELDS)
    values: dict[str, Any] = {}
    for name, limit in _SHIPMENT_TEXTS:
        if name in paths:
            values[name] = text_in(found, f"shipment.{name}", getattr(s, name), limit)
    if "cost" in paths:
        values["cost"], values["currency"] = _cost(found, "shipment", s)
    if "ship_from_id" in paths:
        found.check_id("shipment.ship_from_id", s.ship_from_id, required=False)
        values["ship_from_id"] = s.ship_from_id
    if "ship_to" in paths:
        values["ship_to"] = address_in(found, "shipment.ship_to", s.ship_to)
    if "ship_time" in paths:
        values["ship_time"] = _ship_time(found, "shipment", s, now)
    if "delivery_time" in paths:
        values["delivery_time"] = _delivery_time(found, "shipment", s, now)
    merge = xp_edit(found, "shipment.xp", s.xp) if "xp" in paths else None

    def edit(old: Shipment) -> Shipment:
        return replace(old, **values, xp=old.xp if merge is None else merge(old.xp))

    return edit


def items_in(found: Violations, field: str, messages: Sequence[shipment_pb2.ShipmentItem]) -> tuple[Wanted, ...]:
    """Units to put into a shipment or to take out of it."""
    if not messages:
        found.add(field, reasons.FIELD_REQUIRED, "at least one item")
    if len(messages) > MAX_LINES:
        found.add(field, reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,} items")
    return tuple(_item(found, f"{field}[{n}]", item) for n, item in enumerate(messages[:MAX_LINES]))


def _item(found: Violations, field: str, m: shipment_pb2.ShipmentItem) -> Wanted:
    check_supplier_order_id(found, f"{field}.supplier_order_id", m.supplier_order_id)
    found.check_id(f"{field}.line_item_id", m.line_item_id)
    found.check_id(f"{field}.inventory_record_id", m.inventory_record_id, required=False)
    if not 1 <= m.quantity <= MAX_QUANTITY:
        found.add(f"{field}.quantity", reasons.VALUE_OUT_OF_RANGE, f"must be 1 to {MAX_QUANTITY:,}")
    return Wanted(field, m.supplier_order_id, m.line_item_id, m.quantity, m.inventory_record_id)


def _cost(found: Violations, field: str, m: shipment_pb2.Shipment) -> tuple[int | None, str]:
    if not m.HasField("cost"):
        return None, ""
    return money_in(found, f"{field}.cost", m.cost), m.cost.currency_code


def _ship_time(found: Violations, field: str, m: shipment_pb2.Shipment, now: datetime) -> datetime | None:
    if not m.HasField("ship_time"):
        return None
    ship_time = time_in(found, f"{field}.ship_time", m.ship_time)
    if ship_time > now + LATEST_SHIP_TIME:
        found.add(f"{field}.ship_time", reasons.VALUE_OUT_OF_RANGE, "is at most five minutes in the future")
    return ship_time


def _delivery_time(found: Violations, field: str, m: shipment_pb2.Shipment, now: datetime) -> datetime | None:
    if not m.HasField("delivery_time"):
        return None
    delivery_time = time_in(found, f"{field}.delivery_time", m.delivery_time)
    if delivery_time > now + LEEWAY:
        found.add(f"{field}.delivery_time", reasons.VALUE_OUT_OF_RANGE, "is at most a day in the future")
    return delivery_time


def _delivered_after(found: Violations, field: str, delivery_time: datetime | None, ship_time: datetime | None) -> None:
    if delivery_time is None:
        return
    if ship_time is None or delivery_time < ship_time:
        found.add(f"{field}.delivery_time", reasons.VALUE_OUT_OF_RANGE, "a shipment is delivered after it has left")
