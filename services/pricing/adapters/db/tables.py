"""Tables of pricing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pycountry
import sqlalchemy as sa

from libs import protoconv
from libs.db import Json, UtcTime, metadata
from libs.errors import Violations
from libs.idempotency import outcomes
from libs.postal import MAX_PREFIX, prefix_in
from libs.resource import Attribute, Resource, decimal, flag, integer, resource_table, text, time, xp
from libs.resource.attributes import currency
from libs.service import retries
from services.pricing.domain.schedules import schedule
from services.pricing.domain.tax import rates
from waybill.pricing.v1 import price_schedule_service_pb2 as schedule_pb
from waybill.pricing.v1 import tax_rate_service_pb2 as tax_pb

METADATA = metadata()
REQUESTS = outcomes.table(METADATA)
MAX_BREAKS = 100
MAX_QUANTITY = 1_000_000
_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


def _read_breaks(found: Violations, where: str, message: Any, values: dict[str, Any]) -> list[list[int | None]]:
    breaks = message.price_breaks
    path = f"{where}.price_breaks"
    found.require(path, bool(breaks), "FIELD_REQUIRED", "at least one break")
    found.require(path, len(breaks) <= MAX_BREAKS, "TOO_MANY_ITEMS", f"at most {MAX_BREAKS} breaks")
    made: dict[int, list[int | None]] = {}
    for i, item in enumerate(breaks[:MAX_BREAKS]):
        at = f"{path}[{i}]"
        found.require(f"{at}.quantity", 1 <= item.quantity <= MAX_QUANTITY, "VALUE_OUT_OF_RANGE", f"1 to {MAX_QUANTITY:,}")
        found.require(f"{at}.quantity", item.quantity not in made, "DUPLICATE_ITEM", "stands twice")
        found.require(f"{at}.price", item.HasField("price"), "FIELD_REQUIRED", "is required")
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
            found.add(f"{where}.country", "FIELD_REQUIRED", "is required")
        elif code not in _COUNTRIES:
            found.add(f"{where}.country", "FIELD_INVALID", "must be an ISO 3166-1 alpha-2 code, upper case")
        return code

    return Attribute("country", sa.String(2), read, lambda row: row["country"], "text", nullable=False)


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
            f"{where}.tax_class", len(compared) <= 100, "VALUE_OUT_OF_RANGE", "is at most 100 characters as it is compared"
        )
        return compared

    return replace(typed, read=read)


_SCHEDULE = (
    text("name", 100),
    currency(),
    Attribute("price_breaks", Json(), _read_breaks, _write_breaks, nullable=False),
    integer("min_quantity", 0, MAX_QUANTITY),
    integer("max_quantity", 0, MAX_QUANTITY),
    flag("use_cumulative_quantity"),
    flag("restricted_quantity"),
    time("sale_start_time"),
    time("sale_end_time"),
    xp(),
)
SCHEDULES = resource_table(METADATA, "price_schedules", _SCHEDULE)
SCHEDULE = Resource("price schedule", schedule_pb.PriceSchedule, SCHEDULES, _SCHEDULE, prefix="prs", check=schedule.check)
ASSIGNMENTS = sa.Table(
    "price_assignments",
    METADATA,
    sa.Column("product_id", sa.String(100), primary_key=True),
    sa.Column("buyer_id", sa.String(100), primary_key=True),
    sa.Column("price_schedule_id", sa.String(100), sa.ForeignKey("price_schedules.id"), nullable=False),
)
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
TAX_RATES = resource_table(
    METADATA, "tax_rates", _TAX_RATE, sa.Index("ix_tax_rates_place", "country", "tax_class", "postal_prefix")
)
TAX_RATE = Resource("tax rate", tax_pb.TaxRate, TAX_RATES, _TAX_RATE, prefix="tax", check=rates.check)
RESERVATIONS = sa.Table(
    "redemption_reservations",
    METADATA,
    sa.Column("order_key", sa.Uuid(), primary_key=True),
    sa.Column("attempt", sa.BigInteger, primary_key=True),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("expire_time", UtcTime(), nullable=False),
    sa.Column("update_time", UtcTime(), nullable=False),
    *retries.columns(),
)

MADE = {"CreatePriceSchedule": SCHEDULES, "BatchCreatePriceSchedules": SCHEDULES}
"""By the method that makes it: what is never deleted again, so that the id in a recorded outcome leads somewhere."""
