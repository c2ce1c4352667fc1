"""Between messages and values. Input is checked here: what is wrong is noted under its field path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pycountry
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal as DecimalMessage
from google.type.money_pb2 import Money as MoneyMessage

from libs.errors import Violations
from libs.money import MoneyError, is_minor, minor_unit
from waybill.type.v1 import reasons

XP_LIMIT = 8_000
MAX_PATHS = 100
"""Most paths in a field mask."""
_MAX_UNITS = 10**12
_SAFE_INTEGER = 2**53
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{0,18})?\Z")
"""Without an exponent: `1e999999999` is short to send and a gigabyte to write out."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")
"""NUL as it stands in JSON; no database of ours stores it."""
_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


def money_out(micros: int, currency: str) -> MoneyMessage:
    """Micros as google.type.Money."""
    sign = -1 if micros < 0 else 1
    units, rest = divmod(abs(micros), 1_000_000)
    return MoneyMessage(currency_code=currency, units=sign * units, nanos=sign * rest * 1_000)


def money_micros(message: MoneyMessage) -> int:
    """The micros of a message that one of our own services made."""
    return int(message.units * 1_000_000 + message.nanos // 1_000)


def money_in(
    found: Violations, field: str, message: MoneyMessage, currency: str = "", negative: bool = False, finer: bool = False
) -> int:
    """The micros of a caller's amount; `currency`, if given, is the one it must be in.

    What is owed, held, moved or overridden is an amount that its currency has. `finer` is for prices and rates, which are
    multiplied before they are rounded: those go down to a micro.
    """
    units, nanos = message.units, message.nanos
    if abs(nanos) > 999_999_999 or units * nanos < 0 or abs(units) > _MAX_UNITS:
        found.add(field, reasons.FIELD_INVALID, "units and nanos do not make an amount")
        return 0
    if currency and message.currency_code != currency:
        found.add(field, reasons.CURRENCY_MISMATCH, f"must be in {currency}, not {message.currency_code or 'none'}")
    elif not currency:
        currency_in(found, f"{field}.currency_code", message.currency_code)
    micros = money_micros(message) if nanos >= 0 else -money_micros(MoneyMessage(units=-units, nanos=-nanos))
    if nanos % 1_000:
        found.add(field, reasons.AMOUNT_TOO_PRECISE, "an amount is no finer than a millionth of the unit")
    elif not finer and not _has(message.currency_code, micros):
        found.add(
            field, reasons.AMOUNT_TOO_PRECISE, f"{message.currency_code} has no such amount: it is finer than the minor unit"
        )
    if micros < 0 and not negative:
        found.add(field, reasons.AMOUNT_NEGATIVE, "must be zero or more")
    return micros


def _has(currency: str, micros: int) -> bool:
    """Whether the currency has the amount; what is no currency is reported as that and nothing else."""
    try:
        return is_minor(micros, currency)
    except MoneyError:
        return True


def currency_in(found: Violations, field: str, code: str) -> str:
    """An ISO 4217 code."""
    if not code:
        found.add(field, reasons.FIELD_REQUIRED, "is required")
        return code
    try:
        minor_unit(code)
    except MoneyError:
        found.add(field, reasons.FIELD_INVALID, "must be an ISO 4217 currency code")
    return code


def decimal_out(value: Decimal) -> DecimalMessage:
    """A decimal without an exponent."""
    text = f"{value:f}"
    return DecimalMessage(value=text.rstrip("0").rstrip(".") if "." in text else text)


def decimal_in(
    found: Violations, field: str, message: DecimalMessage, low: Decimal | None = None, high: Decimal | None = None
) -> Decimal:
    """A decimal between two bounds; empty is zero."""
    text = message.value or "0"
    if not _DECIMAL.match(text):
        found.add(field, reasons.FIELD_INVALID, "is no decimal number of at most 18 digits before and after the point")
        return Decimal(0)
    value = Decimal(text) or Decimal(0)
    if (low is not None and value < low) or (high is not None and value > high):
        found.add(field, reasons.VALUE_OUT_OF_RANGE, f"must be {_range(low, high)}")
    return value


def _range(low: object | None, high: object | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def time_out(value: datetime | None) -> Timestamp | None:
    """A timestamp; None stays unset when given to a message's constructor."""
    if value is None:
        return None
    message = Timestamp()
    message.FromDatetime(value)
    return message


def time_in(found: Violations, field: str, message: Timestamp) -> datetime:
    """An instant in UTC."""
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        found.add(field, reasons.VALUE_OUT_OF_RANGE, "is no time between year 1 and 9999")
        return datetime.fromtimestamp(0, UTC)


def instant(message: Timestamp) -> datetime:
    """The instant of a message that one of our own services made."""
    return message.ToDatetime(tzinfo=UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _SAFE_INTEGER else value
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value


def struct_plain(message: Struct) -> dict[str, Any]:
    """A struct as a dictionary; whole numbers come back as integers."""
    if not message.fields:
        return {}
    plain: dict[str, Any] = _plain(json_format.MessageToDict(message))
    return plain


def xp_in(found: Violations, field: str, message: Struct) -> dict[str, Any]:
    """A caller's own data: at most 8,000 characters as JSON."""
    if not message.fields:
        return {}
    try:
        plain = struct_plain(message)
        text = orjson.dumps(plain).decode()
    except (ValueError, orjson.JSONEncodeError):
        found.add(field, reasons.FIELD_INVALID, "is no JSON object")
        return {}
    if len(text) > XP_LIMIT:
        found.add(field, reasons.XP_TOO_LARGE, f"is at most {XP_LIMIT:,} characters of JSON")
    if _NUL.search(text):
        found.add(field, reasons.FIELD_INVALID, "has NUL characters")
    return plain


def xp_size_ok(found: Violations, field: str, xp: Mapping[str, Any]) -> None:
    """Notes a violation when a merged xp has grown beyond the limit, unless that was noted of what is merged into it."""
    if len(orjson.dumps(xp).decode()) > XP_LIMIT and all(v.field != field for v in found.items):
        found.add(field, reasons.XP_TOO_LARGE, f"is at most {XP_LIMIT:,} characters of JSON")


def xp_out(xp: Mapping[str, Any]) -> Struct | None:
    """A struct; None for nothing, which a message's constructor leaves unset."""
    if not xp:
        return None
    message = Struct()
    message.update(dict(xp))
    return message


def merge_xp(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`patch` laid over `old`, deeply; null deletes a key."""
    merged = dict(old)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            before = merged.get(key)
            merged[key] = merge_xp(before if isinstance(before, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def text_in(found: Violations, field: str, value: str, limit: int, required: bool = False) -> str:
    """Text for people: bounded, without control characters."""
    if required and not value.strip():
        found.add(field, reasons.FIELD_REQUIRED, "is required")
    if len(value) > limit:
        found.add(field, reasons.VALUE_OUT_OF_RANGE, f"is at most {limit:,} characters")
    if _CONTROL.search(value):
        found.add(field, reasons.FIELD_INVALID, "has control characters")
    return value


_ADDRESS_TEXTS = (*("label", "company_name", "first_name", "last_name", "recipient"), *("city", "region", "postal_code", "phone"))


def address_in(found: Violations, field: str, message: Any) -> dict[str, Any]:
    """A postal address as a dictionary of its fields; city and country are required."""
    if message.id:
        found.check_id(f"{field}.id", message.id)
    for name in _ADDRESS_TEXTS:
        text_in(found, f"{field}.{name}", getattr(message, name), 200, required=name == "city")
    if len(message.lines) > 4:
        found.add(f"{field}.lines", reasons.TOO_MANY_ITEMS, "at most four lines")
    for i, line in enumerate(message.lines):
        text_in(found, f"{field}.lines[{i}]", line, 200)
    if not message.country:
        found.add(f"{field}.country", reasons.FIELD_REQUIRED, "is required")
    elif message.country not in _COUNTRIES:
        found.add(f"{field}.country", reasons.FIELD_INVALID, "must be an ISO 3166-1 alpha-2 code, upper case")
    return address_plain(message)


def address_plain(message: Any) -> dict[str, Any]:
    """An address message as a dictionary, unchecked; empty fields are left out."""
    plain: dict[str, Any] = {
        name: getattr(message, name) for name in ("id", *_ADDRESS_TEXTS, "country") if getattr(message, name)
    }
    if message.lines:
        plain["lines"] = list(message.lines)
    return plain


def address_out(kind: type[Any], address: Mapping[str, Any] | None) -> Any:
    """An address message of type `kind`; None for none."""
    return None if address is None else kind(**address)


def mask_paths(
    found: Violations, mask: FieldMask, message: Message, allowed: Iterable[str], field: str = "update_mask"
) -> list[str]:
    """The fields to change: those of the mask, or those that are set. Only `allowed` ones may be named.

    A path names a whole field. A part of one is refused rather than taken for the whole, which would reset its siblings.
    """
    permitted = set(allowed)
    if len(mask.paths) > MAX_PATHS:
        found.add(f"{field}.paths", reasons.TOO_MANY_ITEMS, f"at most {MAX_PATHS}")
        return []
    if not mask.paths:
        return [d.name for d, _ in message.ListFields() if d.name in permitted]
    paths: list[str] = []
    for i, path in enumerate(mask.paths):
        root = path.split(".")[0]
        if root not in message.DESCRIPTOR.fields_by_name:
            found.add(f"{field}.paths[{i}]", reasons.FIELD_INVALID, f"there is no field {path!r}")
        elif root not in permitted:
            found.add(f"{field}.paths[{i}]", reasons.FIELD_INVALID, f"{path} cannot be changed")
        elif root != path:
            found.add(f"{field}.paths[{i}]", reasons.FIELD_INVALID, f"names a part: {root} is changed as a whole")
        elif root not in paths:
            paths.append(root)
    return paths
