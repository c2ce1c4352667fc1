"""What price schedules and tax rates are, between their messages and the values that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pycountry

from libs import protoconv
from libs.errors import Violations
from libs.postal import MAX_PREFIX, prefix_in
from libs.resource.contract import Attribute, Shape, Storage, currency, decimal, flag, integer, money, ref, text, time, xp
from services.pricing.domain.schedules import cost, schedule
from services.pricing.domain.tax import rates
from waybill.pricing.v1 import cost_schedule_service_pb2 as cost_pb
from waybill.pricing.v1 import price_floor_service_pb2 as floor_pb
from waybill.pricing.v1 import price_schedule_service_pb2 as schedule_pb
from waybill.pricing.v1 import reasons
from waybill.pricing.v1 import tax_rate_service_pb2 as tax_pb

MAX_BREAKS = 100
MAX_QUANTITY = 1_000_000
_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


def _read_breaks(found: Violations, where: str, message: Any, values: dict[str, Any]) -> list[list[int | None]]:
    breaks = message.price_breaks
    path = f"{where}.price_breaks"
    found.require(path, bool(breaks), reasons.FIELD_REQUIRED, "at least one break")
    found.require(path, len(breaks) <= MAX_BREAKS, reasons.TOO_MANY_ITEMS, f"at most {MAX_BREAKS} breaks")
    made: dict[int, list[int | None]] = {}
    for i, item in enumerate(breaks[:MAX_BREAKS]):
        at = f"{path}[{i}]"
        found.require(f"{at}.quantity", 1 <= item.quantity <= MAX_QUANTITY, reasons.VALUE_OUT_OF_RANGE, f"1 to {MAX_QUANTITY:,}")
        found.require(f"{at}.quantity", item.quantity not in made, reasons.DUPLICATE_ITEM, "stands twice")
        found.require(f"{at}.price", item.HasField("price"), reasons.FIELD_REQUIRED, "is required")
        unit = values.get("currency", "")
        price = protoconv.money_in(found, f"{at}.price", item.price, unit, finer=True) if item.HasField("price") else 0
        sale = None
        if item.HasField("sale_price"):
            sale = protoconv.money_in(found, f"{at}.sale_price", item.sale_price, unit, finer=True)
        made[item.quantity] = [item.quantity, price, sale]
    return [made[quantity] for quantity in sorted(made)]


def _write_breaks(row: dict[str, Any]) -> list[Any]:
    unit = row["currency"]
    return [
        schedule_pb.PriceBreak(
            quantity=quantity,
            price=protoconv.money_out(price, unit),
            sale_price=None if sale is None else protoconv.money_out(sale, unit),
        )
        for quantity, price, sale in row["price_breaks"]
    ]


def _country() -> Attribute:
    def read(found: Violations, where: str, message: Any, _: dict[str, Any]) -> str:
        code = str(message.country)
        if not code:
            found.add(f"{where}.country", reasons.FIELD_REQUIRED, "is required")
        elif code not in _COUNTRIES:
            found.add(f"{where}.country", reasons.FIELD_INVALID, "must be an ISO 3166-1 alpha-2 code, upper case")
        return code

    return Attribute("country", Storage.TEXT, read, lambda row: row["country"], "text", nullable=False, length=2)


def _postal_prefix() -> Attribute:
    def read(found: Violations, where: str, message: Any, values: dict[str, Any]) -> str:
        # Kept as it is compared, so that a look-up can name the prefixes of a postal code.
        return prefix_in(found, f"{where}.postal_prefix", message.postal_prefix)

    return replace(text("postal_prefix", MAX_PREFIX), read=read)


def _tax_class() -> Attribute:
    typed = text("tax_class", 100, default=rates.STANDARD)

    def read(found: Violations, where: str, message: Any, values: dict[str, Any]) -> str:
        # Kept as it is compared, so that a look-up can name it.
        compared = rates.class_key(typed.read(found, where, message, values))
        found.require(
            f"{where}.tax_class", len(compared) <= 100, reasons.VALUE_OUT_OF_RANGE, "is at most 100 characters as it is compared"
        )
        return compared

    return replace(typed, read=read)


def _check_schedule(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    schedule.check_quantities(found, where, row["min_quantity"], row["max_quantity"])
    schedule.check_sale(found, where, row["sale_start_time"], row["sale_end_time"])


def _check_cost(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    cost.check_first_break(found, where, row["price_breaks"])
    schedule.check_sale(found, where, row["sale_start_time"], row["sale_end_time"])


def _check_rate(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    rates.check(found, where, row["start_time"], row["end_time"])


_SCHEDULE = (
    text("name", 100),
    currency(),
    Attribute("price_breaks", Storage.DOCUMENT, _read_breaks, _write_breaks, nullable=False),
    integer("min_quantity", 0, MAX_QUANTITY),
    integer("max_quantity", 0, MAX_QUANTITY),
    flag("use_cumulative_quantity"),
    flag("restricted_quantity"),
    time("sale_start_time"),
    time("sale_end_time"),
    xp(),
    ref("owner_supplier_id", immutable=True),
    flag("tax_included"),
)
SCHEDULE = Shape("price schedule", schedule_pb.PriceSchedule, _SCHEDULE, prefix="prs", check=_check_schedule)
_FLOOR = (
    ref("product_id", required=True, immutable=True, index=False),
    currency(),
    money("unit_price", required=True, finer=True),
)
FLOOR = Shape("price floor", floor_pb.PriceFloor, _FLOOR, prefix="prf")
_COST = (
    ref("supplier_id", required=True, immutable=True),
    ref("product_id", required=True, immutable=True, index=False),
    currency(),
    Attribute("price_breaks", Storage.DOCUMENT, _read_breaks, _write_breaks, nullable=False),
    text("name", 100),
    time("sale_start_time"),
    time("sale_end_time"),
    xp(),
)
COST = Shape("cost schedule", cost_pb.CostSchedule, _COST, prefix="cos", check=_check_cost)
_TAX_RATE = (
    text("name", 100),
    _country(),
    text("region", 200),
    _postal_prefix(),
    _tax_class(),
    decimal("rate", Decimal(0), Decimal(1)),
    time("start_time"),
    time("end_time"),
    xp(),
)
TAX_RATE = Shape("tax rate", tax_pb.TaxRate, _TAX_RATE, prefix="tax", check=_check_rate)
