"""What a promotion has to say to be one: its fields beside each other. What its expressions say is not looked at here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.errors import Violations
from waybill.pricing.v1 import reasons

CODE_LENGTH = 50
LINE = "LINE"
ORDERED_BY = ("create_time", "unit_price", "subtotal", "quantity")
"""By what lines can be ordered, from the least on."""
ITEM_ORDERS = frozenset((*ORDERED_BY, *(f"{name} desc" for name in ORDERED_BY)))
_CODE = re.compile(r"[A-Z0-9_-]{1,50}\Z")

Holder = tuple[str, str]
"""An owner and a code, which one active promotion at most has; an empty owner is the seller."""


def code_key(code: str) -> str:
    """A code as it is kept and compared: in capitals."""
    return code.upper() if code.isascii() else code


def valid_code(code: str) -> bool:
    """Whether a code could be kept."""
    return bool(_CODE.match(code))


@dataclass(frozen=True, slots=True)
class Terms:
    """Fields of a promotion that depend on each other."""

    code: str
    auto_apply: bool
    target: str
    start_time: datetime | None
    end_time: datetime | None
    quantity_limit_per_order: int | None
    item_limit_per_order: int | None
    item_order: str


def check(found: Violations, where: str, terms: Terms) -> None:
    """Notes fields that do not go together."""
    start, end = terms.start_time, terms.end_time
    text = "a promotion ends after it begins"
    reversed_ = start is not None and end is not None and start >= end
    found.require(f"{where}.end_time", not reversed_, reasons.PROMOTION_TIMES_REVERSED, text)
    text = "is required unless auto_apply puts it on orders"
    found.require(f"{where}.code", bool(terms.code) or terms.auto_apply, reasons.FIELD_REQUIRED, text)
    limits = [name for name in ("quantity_limit_per_order", "item_limit_per_order") if getattr(terms, name) is not None]
    if terms.target not in ("", LINE):
        for name in limits:
            found.add(f"{where}.{name}", reasons.FIELD_INVALID, "is for the target LINE only")
    if len(limits) > 1:
        found.add(f"{where}.item_limit_per_order", reasons.FIELD_INVALID, "does not go together with quantity_limit_per_order")
    _check_order(found, f"{where}.item_order", terms.item_order, bool(limits))


def _check_order(found: Violations, where: str, order: str, limited: bool) -> None:
    if not order:
        return
    text = f"is one of {', '.join(ORDERED_BY)}, with ' desc' for the greatest first"
    found.require(where, order in ITEM_ORDERS, reasons.FIELD_INVALID, text)
    text = "says which lines a limit takes first, and there is none"
    found.require(where, limited, reasons.FIELD_INVALID, text)


def check_codes(found: Violations, items: Sequence[tuple[str, str, Holder]], standing: Mapping[Holder, str]) -> None:
    """No two active promotions of an owner have the same code. Items are (field path, id, owner and code); `standing` has the ids
    of promotions that are active now."""
    seen = dict(standing)
    for where, id, holder in items:
        text = f"promotion {seen.get(holder)!r} is active with the code {holder[1]!r}"
        found.require(f"{where}.code", seen.get(holder, id) == id, reasons.PROMOTION_CODE_TAKEN, text)
        seen.setdefault(holder, id)
