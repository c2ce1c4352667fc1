"""What requests of several rooms share, as values: everything is checked, all violations are collected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct

from libs.errors import Violations
from libs.ids import valid_numbered_id
from libs.protoconv import merge_xp, xp_in, xp_size_ok
from services.fulfillment.application.ports import XpEdit
from waybill.fulfillment.v1 import reasons


def xp_edit(found: Violations, field: str, message: Struct) -> XpEdit:
    """A merge of the caller's xp into stored data; raises XP_TOO_LARGE when the result is."""
    patch = xp_in(found, field, message)

    def merge(old: Mapping[str, Any]) -> Mapping[str, Any]:
        merged = merge_xp(old, patch)
        grown = Violations()
        xp_size_ok(grown, field, merged)
        grown.raise_if_any()
        return merged

    return merge


def check_supplier_order_id(found: Violations, field: str, id: str) -> None:
    """Notes a missing or malformed id: it is longer than others by a dash and a number."""
    if not id:
        found.add(field, reasons.FIELD_REQUIRED, "is required")
    elif not valid_numbered_id(id):
        found.add(field, reasons.ID_INVALID, "the id of a supplier order is 1 to 120 characters of A-Z a-z 0-9 _ -")


def refuse_duplicates(found: Violations, fields_and_ids: list[tuple[str, str]]) -> None:
    """Notes ids that stand twice in one request."""
    seen: set[str] = set()
    for field, id in fields_and_ids:
        if id and id in seen:
            found.add(field, reasons.DUPLICATE_ITEM, f"{id!r} stands twice")
        seen.add(id)
