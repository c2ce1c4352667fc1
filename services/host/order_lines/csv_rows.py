"""Rows of a CSV file: comma or semicolon, with a header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from services.host.order_lines import specs
from services.host.order_lines.faults import Faults, FileFault, Row
from services.host.order_lines.lines import COLUMNS, REQUIRED
from waybill.order.v1 import reasons

DELIMITERS = (",", ";")
"""The one is taken that makes more columns of the header."""
XP = "xp."
FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula at the beginning of a cell, with whatever the formula then does."""


def csv_rows(faults: Faults, text: Iterable[str]) -> Iterator[Row]:
    """The rows one by one, no more read than asked for; empty ones are passed over. Faults of single cells are noted, and the row
    goes on without them; with a wrong header there is no row. Raises `FileFault` where the rest makes no sense."""
    number, columns = 0, list[str]()
    lines = iter(text)
    header = next(lines, "")
    reader = csv.reader(chain([header], lines), delimiter=max(DELIMITERS, key=header.count), strict=True)
    try:
        for number, cells in enumerate(reader, 1):
            cells = [cell.strip().replace("\r\n", "\n") for cell in cells]
            if number == 1:
                columns = _columns(faults, cells)
                if faults:
                    # With a wrong header every row would be wrong.
                    return
            elif any(cells) and len(cells) != len(columns):
                said = f"the row has {len(cells)} cells, and the header {len(columns)}"
                faults.add(number, "", reasons.FIELD_INVALID, said)
            elif any(cells):
                yield Row(number, _values(faults, number, columns, cells))
    except csv.Error as error:
        raise FileFault(number + 1, "", reasons.FIELD_INVALID, f"the row is no CSV: {error}") from None


def _columns(faults: Faults, columns: list[str]) -> list[str]:
    """The names of the columns. What is wrong with them is noted."""
    for name in columns:
        known = name in COLUMNS or (name.startswith(XP) and all(name.split("."))) or specs.is_column(name)
        if not known:
            known_ones = ", ".join([*COLUMNS, "spec.ID", "spec.ID.text", "xp.NAME"])
            faults.add(1, name, reasons.FIELD_INVALID, f"there is no column {name!r}; the columns are {known_ones}")
    for name in sorted({name for name in columns if columns.count(name) > 1}):
        faults.add(1, name, reasons.DUPLICATE_ITEM, f"the column {name!r} is there {columns.count(name)} times")
    for name in sorted(set(columns)):
        inside = [other for other in columns if other.startswith(f"{name}.")]
        # Rows may differ in whether they choose an option of a spec or write a text.
        if inside and not specs.is_column(name):
            faults.add(1, name, reasons.FIELD_INVALID, f"{name} cannot be a text and hold {inside[0]}, too")
    for name in REQUIRED:
        if name not in columns:
            said = f"the first row names the columns, separated by commas or semicolons; {name} is missing"
            faults.add(1, name, reasons.FIELD_REQUIRED, said)
    return columns


def _values(faults: Faults, number: int, columns: Sequence[str], cells: Sequence[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    xp: dict[str, Any] = {}
    chosen: dict[str, object] = {}
    for column, cell in zip(columns, cells, strict=True):
        if cell.startswith(FORMULA) and column != "quantity":
            said = f"{cell[:20]!r} begins like a formula of a spreadsheet: with = + - or @"
            faults.add(number, column, reasons.FIELD_INVALID, said)
        elif cell and column.startswith(XP):
            _put(xp, column.split(".")[1:], cell)
        elif cell and specs.is_column(column):
            specs.put(faults, number, chosen, column, cell)
        elif cell:
            values[column] = cell
        elif column in REQUIRED:
            values[column] = ""
    return {**values, **({specs.NAME: chosen} if chosen else {}), **({"xp": xp} if xp else {})}


def _put(into: dict[str, Any], path: Sequence[str], value: str) -> None:
    *outer, last = path
    for name in outer:
        into = into.setdefault(name, {})
    into[last] = value
