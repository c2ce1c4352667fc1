"""Messages about stock as values: everything is checked, all violations are collected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from libs.auth import PartyKind, Principal
from libs.errors import Violations
from libs.protoconv import address_in, mask_paths, text_in, time_in, xp_in
from services.fulfillment.application.customers import customer_of
from services.fulfillment.application.stock.inventory_records import RecordDraft, RecordEdit
from services.fulfillment.domain.sourcing.backorder import MAX_BACKORDER
from services.fulfillment.domain.sourcing.model import MAX_LINES, MAX_QUANTITY, Customer
from services.fulfillment.domain.stock.availability import Asked
from services.fulfillment.domain.stock.inventory import Adjustment, InventoryRecord
from services.fulfillment.domain.stock.ledger import MovementKind
from services.fulfillment.domain.stock.thresholds import MAX_THRESHOLD
from services.fulfillment.rpc.requests import refuse_duplicates, xp_edit
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2, reasons

MAX_PRIORITY = 1_000_000
MAX_AUDIENCE = 1_000
"""Most buyers and groups that one record is for."""
RECORD_FIELDS = (
    *("address", "can_exceed", "priority", "active", "pickup", "xp"),
    *("notify_below", "buyer_ids", "user_group_ids", "backorder_limit", "expected_time"),
)


def record_in(found: Violations, field: str, m: inventory_pb2.InventoryRecord, opening: int, opening_field: str) -> RecordDraft:
    """A record to create."""
    found.check_id(f"{field}.id", m.id, required=False)
    found.check_id(f"{field}.product_id", m.product_id)
    found.check_id(f"{field}.variant_id", m.variant_id, required=False)
    found.check_id(f"{field}.supplier_id", m.supplier_id, required=False)
    location = m.location_id or m.address.id
    found.check_id(f"{field}.location_id", location)
    _priority(found, f"{field}.priority", m.priority)
    _threshold(found, f"{field}.notify_below", m.notify_below)
    _audience(found, field, m)
    limit, expected = _backorder(found, field, m)
    if not 0 <= opening <= MAX_QUANTITY:
        found.add(opening_field, reasons.VALUE_OUT_OF_RANGE, f"must be 0 to {MAX_QUANTITY:,}")
    address = None
    if m.HasField("address"):
        address = {**address_in(found, f"{field}.address", m.address), "id": location}
    return RecordDraft(
        field=field,
        id=m.id,
        product_id=m.product_id,
        supplier_id=m.supplier_id,
        location_id=location,
        address=address,
        can_exceed=m.can_exceed,
        priority=m.priority,
        active=m.active if m.HasField("active") else True,
        pickup=m.pickup,
        xp=xp_in(found, f"{field}.xp", m.xp),
        opening=opening,
        variant_id=m.variant_id,
        notify_below=m.notify_below if m.HasField("notify_below") else None,
        buyer_ids=tuple(m.buyer_ids),
        user_group_ids=tuple(m.user_group_ids),
        backorder_limit=limit,
        expected_time=expected,
    )


def record_edit_in(found: Violations, m: inventory_service_pb2.UpdateInventoryRecordRequest) -> RecordEdit:
    """An UpdateInventoryRecordRequest's changes."""
    record = m.inventory_record
    found.check_id("inventory_record.id", record.id)
    paths = mask_paths(found, m.update_mask, record, RECORD_FIELDS)
    values: dict[str, Any] = {
        name: getattr(record, name) for name in ("can_exceed", "priority", "active", "pickup") if name in paths
    }
    _priority(found, "inventory_record.priority", record.priority)
    _threshold(found, "inventory_record.notify_below", record.notify_below)
    _audience(found, "inventory_record", record)
    limit, expected = _backorder(found, "inventory_record", record)
    values |= {name: value for name, value in (("backorder_limit", limit), ("expected_time", expected)) if name in paths}
    values |= {name: tuple(getattr(record, name)) for name in ("buyer_ids", "user_group_ids") if name in paths}
    if "notify_below" in paths:
        values["notify_below"] = record.notify_below if record.HasField("notify_below") else None
    if "address" in paths:
        values["address"] = address_in(found, "inventory_record.address", record.address)
    merge = xp_edit(found, "inventory_record.xp", record.xp) if "xp" in paths else None

    def edit(old: InventoryRecord) -> InventoryRecord:
        return replace(old, **values, xp=old.xp if merge is None else merge(old.xp))

    return edit


def adjustments_in(found: Violations, messages: Sequence[inventory_service_pb2.StockAdjustment]) -> list[Adjustment]:
    """An AdjustStockRequest's bookings."""
    if not messages:
        found.add("adjustments", reasons.FIELD_REQUIRED, "at least one")
    if len(messages) > 1_000:
        found.add("adjustments", reasons.TOO_MANY_ITEMS, "at most 1,000")
        return []
    refuse_duplicates(found, [(f"adjustments[{n}].inventory_record_id", m.inventory_record_id) for n, m in enumerate(messages)])
    return [_adjustment(found, f"adjustments[{n}]", m) for n, m in enumerate(messages)]


def availability_in(found: Violations, m: inventory_service_pb2.CheckAvailabilityRequest) -> list[Asked]:
    """What a CheckAvailabilityRequest names, each once: products, then variants. Ids that no id can be have no stock."""
    products = dict.fromkeys(Asked(id) for id in m.product_ids)
    asked = dict.fromkeys((*products, *(Asked(ref.product_id, ref.variant_id) for ref in m.variants)))
    if len(asked) > MAX_LINES:
        field = "product_ids" if len(products) > MAX_LINES else "variants"
        found.add(field, reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,} products and variants")
    return list(asked)


def customer_in(found: Violations, m: inventory_service_pb2.CheckAvailabilityRequest, caller: Principal) -> Customer | None:
    """Whose availability is asked for; None where it is nobody's in particular."""
    if m.user_id and not m.buyer_id:
        found.add("buyer_id", reasons.FIELD_REQUIRED, "is needed with user_id")
    mine = (("buyer_id", m.buyer_id, caller.party_id), ("user_id", m.user_id, caller.user_id))
    if caller.party_kind is PartyKind.BUYER and caller.service is None:
        for name, asked, own in mine:
            found.require(name, asked in ("", own), reasons.FIELD_INVALID, "a user of a buyer asks for itself only")
    elif m.buyer_id and not caller.is_seller and caller.service is None:
        found.add("buyer_id", reasons.FIELD_INVALID, "the seller alone asks for a buyer")
    if m.buyer_id and caller.party_kind is not PartyKind.BUYER:
        return customer_of(caller, m.buyer_id, m.user_id)
    if caller.party_kind is PartyKind.BUYER:
        return customer_of(caller, m.buyer_id or caller.party_id, m.user_id or caller.user_id)
    return None


def _priority(found: Violations, field: str, value: int) -> None:
    if abs(value) > MAX_PRIORITY:
        found.add(field, reasons.VALUE_OUT_OF_RANGE, f"must be within {MAX_PRIORITY:,} of zero")


def _threshold(found: Violations, field: str, value: int) -> None:
    if not 0 <= value <= MAX_THRESHOLD:
        found.add(field, reasons.VALUE_OUT_OF_RANGE, f"must be 0 to {MAX_THRESHOLD:,}")


def _backorder(found: Violations, field: str, m: inventory_pb2.InventoryRecord) -> tuple[int | None, datetime | None]:
    """How far a record may be exceeded, and when more is expected."""
    if not 0 <= m.backorder_limit <= MAX_BACKORDER:
        found.add(f"{field}.backorder_limit", reasons.VALUE_OUT_OF_RANGE, f"must be 0 to {MAX_BACKORDER:,}")
    expected = time_in(found, f"{field}.expected_time", m.expected_time) if m.HasField("expected_time") else None
    return m.backorder_limit if m.HasField("backorder_limit") else None, expected


def _audience(found: Violations, field: str, m: inventory_pb2.InventoryRecord) -> None:
    """Whom a record is for."""
    if len(m.buyer_ids) + len(m.user_group_ids) > MAX_AUDIENCE:
        name = "buyer_ids" if m.buyer_ids else "user_group_ids"
        found.add(f"{field}.{name}", reasons.TOO_MANY_ITEMS, f"at most {MAX_AUDIENCE:,} buyers and groups")
        return
    for name in ("buyer_ids", "user_group_ids"):
        ids = [(f"{field}.{name}[{n}]", id) for n, id in enumerate(getattr(m, name))]
        for at, id in ids:
            found.check_id(at, id)
        refuse_duplicates(found, ids)


def _adjustment(found: Violations, field: str, m: inventory_service_pb2.StockAdjustment) -> Adjustment:
    found.check_id(f"{field}.inventory_record_id", m.inventory_record_id)
    text_in(found, f"{field}.note", m.note, 500)
    receive = m.kind == inventory_pb2.STOCK_MOVEMENT_KIND_RECEIVE
    if not receive and m.kind != inventory_pb2.STOCK_MOVEMENT_KIND_ADJUST:
        found.add(f"{field}.kind", reasons.FIELD_INVALID, "must be RECEIVE or ADJUST")
    which = m.WhichOneof("amount")
    if which is None:
        found.add(f"{field}.change", reasons.FIELD_REQUIRED, "change or count is required")
    elif receive and (which == "count" or m.change <= 0):
        found.add(f"{field}.{which}", reasons.VALUE_OUT_OF_RANGE, "a receipt is a change above 0")
    elif abs(getattr(m, which)) > MAX_QUANTITY or (which == "count" and m.count < 0):
        found.add(f"{field}.{which}", reasons.VALUE_OUT_OF_RANGE, f"must be within {MAX_QUANTITY:,}")
    return Adjustment(
        m.inventory_record_id,
        MovementKind.RECEIVE if receive else MovementKind.ADJUST,
        m.change if which == "change" else None,
        m.count if which == "count" else None,
        m.note,
    )
