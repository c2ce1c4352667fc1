"""Kinds of attributes that only shipping has: lead times, rows of rates, places, matches."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pycountry
from google.protobuf.duration_pb2 import Duration

from libs import protoconv
from libs.errors import Violations
from libs.postal import prefix_in
from libs.resource.contract import Attribute, Storage
from services.shipping.domain.rates import MAX_WEIGHT, misordered
from waybill.shipping.v1 import rate_table_service_pb2, reasons

MAX_LEAD_TIME = 365 * 24 * 60 * 60
MAX_ROWS = 200
MAX_PLACES = 1_000
MAX_MATCHES = 1_000
_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


def lead_time(name: str) -> Attribute:
    """A time in whole seconds, at most a year; absent stays absent."""

    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> int | None:
        if not message.HasField(name):
            return None
        value: Duration = getattr(message, name)
        found.require(
            f"{where}.{name}",
            value.nanos == 0 and 0 <= value.seconds <= MAX_LEAD_TIME,
            reasons.VALUE_OUT_OF_RANGE,
            "must be whole seconds, zero to one year",
        )
        return value.seconds

    def write(row: dict[str, Any]) -> Duration | None:
        return None if row[name] is None else Duration(seconds=row[name])

    return Attribute(name, Storage.WHOLE, read, write, "int")


def rate_rows() -> Attribute:
    """Rows of a rate table, stored as [{up_to: text or null, price: micros, per_kg: micros or null}]."""

    def read(found: Violations, where: str, message: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
        where, rows, currency = f"{where}.rows", message.rows, values.get("currency", "")
        found.require(where, 1 <= len(rows) <= MAX_ROWS, reasons.TOO_MANY_ITEMS, f"1 to {MAX_ROWS} rows")
        made: list[dict[str, Any]] = []
        bounds: list[Decimal | None] = []
        for i, row in enumerate(rows[:MAX_ROWS]):
            path = f"{where}[{i}]"
            bound = None
            if row.HasField("up_to_weight_kg"):
                bound = protoconv.decimal_in(found, f"{path}.up_to_weight_kg", row.up_to_weight_kg, Decimal(0), MAX_WEIGHT)
            bounds.append(bound)
            found.require(f"{path}.price", row.HasField("price"), reasons.FIELD_REQUIRED, "is required")
            made.append(
                {
                    "up_to": None if bound is None else f"{bound:f}",
                    "price": _amount(found, path, row, "price", currency) or 0,
                    "per_kg": _amount(found, path, row, "per_kg", currency),
                }
            )
        for i in misordered(bounds):
            found.add(
                f"{where}[{i}].up_to_weight_kg",
                reasons.RATE_ROWS_UNORDERED,
                "must be above the row before; only the last row may be open",
            )
        return made

    return Attribute("rows", Storage.DOCUMENT, read, _write_rows, nullable=False)


def _amount(found: Violations, where: str, row: Any, name: str, currency: str) -> int | None:
    if not row.HasField(name):
        return None
    return protoconv.money_in(found, f"{where}.{name}", getattr(row, name), currency, finer=True)


def _write_rows(values: dict[str, Any]) -> list[rate_table_service_pb2.RateRow]:
    made: list[rate_table_service_pb2.RateRow] = []
    for row in values["rows"]:
        message = rate_table_service_pb2.RateRow(price=protoconv.money_out(row["price"], values["currency"]))
        if row["up_to"] is not None:
            message.up_to_weight_kg.CopyFrom(protoconv.decimal_out(Decimal(row["up_to"])))
        if row["per_kg"] is not None:
            message.per_kg.CopyFrom(protoconv.money_out(row["per_kg"], values["currency"]))
        made.append(message)
    return made


def check_places(found: Violations, where: str, places: Any) -> None:
    """Destinations of a zone."""
    found.require(where, 1 <= len(places) <= MAX_PLACES, reasons.TOO_MANY_ITEMS, f"1 to {MAX_PLACES:,}")
    for i, place in enumerate(places[:MAX_PLACES]):
        path = f"{where}[{i}]"
        protoconv.text_in(found, f"{path}.region", place.region, 200)
        prefix_in(found, f"{path}.postal_prefix", place.postal_prefix)
        if not place.country:
            alone = not place.region and not place.postal_prefix
            found.require(f"{path}.country", alone, reasons.FIELD_REQUIRED, "is required with other fields")
        else:
            found.require(
                f"{path}.country",
                place.country in _COUNTRIES,
                reasons.FIELD_INVALID,
                "must be an ISO 3166-1 alpha-2 code, upper case",
            )


def check_match(found: Violations, where: str, match: Any) -> None:
    """Items that a grouping rule is for."""
    for name in ("supplier_ids", "ship_from_ids", "product_ids"):
        ids = getattr(match, name)
        path = f"{where}.{name}"
        found.require(path, len(ids) <= MAX_MATCHES, reasons.TOO_MANY_ITEMS, f"at most {MAX_MATCHES:,}")
        seen: set[str] = set()
        for i, id in enumerate(ids[:MAX_MATCHES]):
            found.check_id(f"{path}[{i}]", id)
            found.require(f"{path}[{i}]", id not in seen, reasons.DUPLICATE_ITEM, "stands twice")
            seen.add(id)
