"""The CSV files as values."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import pycountry

_SPECIAL = {"UK": "GB", "USA": "US"}
CENT = Decimal("0.01")
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a historic order. The price is the one of that day; the discount is a fraction."""

    product_id: str
    unit_price: Decimal
    quantity: int
    fraction: Decimal

    @property
    def discount(self) -> Decimal:
        """In money, rounded half up to cents."""
        return (self.unit_price * self.quantity * self.fraction).quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Northwind:
    """All files."""

    customers: list[Row]
    employees: list[Row]
    suppliers: list[Row]
    products: list[Row]
    shippers: list[Row]
    orders: list[Row]
    lines: dict[str, list[Line]]

    def demand(self) -> dict[str, int]:
        """Units ordered by product."""
        sums: dict[str, int] = defaultdict(int)
        for lines in self.lines.values():
            for line in lines:
                sums[line.product_id] += line.quantity
        return sums


def read(folder: Path) -> Northwind:
    """Reads a folder; raises FileNotFoundError naming the file that is not there."""

    def rows(name: str) -> list[Row]:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    lines: dict[str, list[Line]] = defaultdict(list)
    for row in rows("order_lines"):
        lines[row["order_id"]].append(
            Line(row["product_id"], Decimal(row["unit_price"]), int(row["quantity"]), Decimal(row["discount"]))
        )
    return Northwind(
        rows("customers"), rows("employees"), rows("suppliers"), rows("products"), rows("shippers"), rows("orders"), dict(lines)
    )


@cache
def country(name: str) -> str:
    """The ISO code of a country's name; raises LookupError for a name that is none."""
    return _SPECIAL.get(name) or str(pycountry.countries.lookup(name).alpha_2)


def supplier_id(number: str) -> str:
    """The id of a supplier."""
    return f"supplier-{number}"


def product_id(number: str) -> str:
    """The id of a product."""
    return f"product-{number}"
