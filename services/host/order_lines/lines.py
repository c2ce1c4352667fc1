"""A row of a file made into a line. Here it is decided what can be written at all; the order service decides the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from services.host.order_lines.faults import Faults, Row
from services.host.order_lines.specs import specs_of, writable
from waybill.order.v1 import line_item_pb2, reasons

REQUIRED = ("product_id", "quantity")
TEXTS = ("id", "product_id", "variant_id", "cost_center", "shipping_account", "comments", "shipping_address_id")
COLUMNS = (*REQUIRED, *(name for name in TEXTS if name not in REQUIRED), "date_needed")
MOST = 1_000_000
"""Units of a line."""
DEEPEST = 30
"""Levels of xp. A message nests a hundred deep at most, and a level of xp takes three."""
_WHOLE = re.compile(r"[0-9]{1,9}\Z")


def line_of(faults: Faults, row: Row) -> line_item_pb2.LineItem:
    """The line, without what is wrong in the row, which is noted."""
    values = row.values
    line = line_item_pb2.LineItem()
    for name in TEXTS:
        setattr(line, name, _text(faults, row, name))
    line.quantity = _quantity(faults, row)
    line.specs.extend(specs_of(faults, row))
    date = _text(faults, row, "date_needed")
    if (needed := _moment(date)) is not None:
        line.date_needed.CopyFrom(needed)
    elif date:
        said = "a date such as 2031-12-24 is meant, which begins in UTC, or a time with its zone such as 2031-12-24T10:00:00Z"
        faults.add(row.number, "date_needed", reasons.FIELD_INVALID, said)
    if "xp" in values and (xp := _xp(values["xp"])) is not None:
        line.xp.CopyFrom(xp)
    elif "xp" in values:
        said = f"an object that JSON and UTF-8 can write is meant, at most {DEEPEST} levels deep"
        faults.add(row.number, "xp", reasons.FIELD_INVALID, said)
    return line


def _text(faults: Faults, row: Row, name: str) -> str:
    value = row.values.get(name, "")
    if not isinstance(value, str) or not writable(value):
        faults.add(row.number, name, reasons.FIELD_INVALID, "a text is meant")
        return ""
    if not value and name in REQUIRED:
        faults.add(row.number, name, reasons.FIELD_REQUIRED, "is required")
    return value


def _quantity(faults: Faults, row: Row) -> int:
    value = row.values.get("quantity", "")
    if value == "":
        faults.add(row.number, "quantity", reasons.FIELD_REQUIRED, "is required")
        return 0
    if isinstance(value, str) and _WHOLE.match(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST:
        return value
    faults.add(row.number, "quantity", reasons.VALUE_OUT_OF_RANGE, f"a whole number from 1 to {MOST:,} is meant")
    return 0


def _moment(text: str) -> Timestamp | None:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None and len(text) > len("2031-12-24"):
            return None
        made = Timestamp()
        made.FromDatetime(found.astimezone(UTC) if found.tzinfo else found)
    except (ValueError, OverflowError):
        return None
    return made


def _xp(value: object) -> Struct | None:
    if not isinstance(value, Mapping) or not _shallow(value, DEEPEST):
        return None
    made = Struct()
    try:
        made.update(value)
    except (ValueError, OverflowError):
        return None
    return made


def _shallow(value: object, levels: int) -> bool:
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return levels > 0 and all(_shallow(one, levels - 1) for one in inside)
