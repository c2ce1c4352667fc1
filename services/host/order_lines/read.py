"""A file read as the lines of one request."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.host.order_lines.csv_rows import csv_rows
from services.host.order_lines.faults import WHOLE_FILE, Faults, FileFault, Row
from services.host.order_lines.json_rows import json_rows
from services.host.order_lines.lines import line_of
from waybill.order.v1 import line_item_pb2, reasons

MOST_LINES = 5_000
"""Of an order."""
MOST_BYTES = 16 * 1024 * 1024
"""Of a file: more than lines have that one request can carry."""
_BOM = "\ufeff"
_WIDE = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class LinesOfFile:
    """The lines, and the row of each."""

    lines: list[line_item_pb2.LineItem]
    rows: list[int]
    digest: str
    """Of the file as it is, in hexadecimal digits."""


def read_lines(faults: Faults, path: Path) -> LinesOfFile:
    """The lines of a file: JSON when its name ends in .json, else CSV. What is wrong is noted; then lines are missing."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    lines: list[line_item_pb2.LineItem] = []
    rows: list[int] = []
    by_id: dict[str, int] = {}
    try:
        for row in _few(_rows(faults, data, path.suffix.lower())):
            line = line_of(faults, row)
            first = by_id.setdefault(line.id, row.number)
            if line.id and first != row.number:
                faults.add(row.number, "id", reasons.DUPLICATE_ITEM, f"line id {line.id!r} stands in row {first}, too")
            lines.append(line)
            rows.append(row.number)
    except FileFault as broken:
        faults.items.append(broken.fault)
    if not lines and not faults:
        faults.add(WHOLE_FILE, "", reasons.FIELD_REQUIRED, "the file has no line")
    return LinesOfFile(lines, rows, hashlib.sha256(data).hexdigest())


def _rows(faults: Faults, data: bytes, suffix: str) -> Iterator[Row]:
    if len(data) > MOST_BYTES:
        raise FileFault(WHOLE_FILE, "", reasons.TOO_MANY_ITEMS, f"a file has at most {MOST_BYTES:,} bytes")
    text = _decoded(data)
    return json_rows(faults, text) if suffix == ".json" else csv_rows(faults, io.StringIO(text, newline=""))


def _decoded(data: bytes) -> str:
    if data.startswith(_WIDE):
        raise FileFault(WHOLE_FILE, "", reasons.FIELD_INVALID, "the file is UTF-16; save it as UTF-8")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileFault(WHOLE_FILE, "", reasons.FIELD_INVALID, f"line {line} is not UTF-8; save the file as UTF-8") from None
    if "\x00" in text:
        raise FileFault(WHOLE_FILE, "", reasons.FIELD_INVALID, "the file has NUL characters: it is no text")
    return text.removeprefix(_BOM)


def _few(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, as far as one order can have them."""
    for count, row in enumerate(rows):
        if count == MOST_LINES:
            said = f"an order has at most {MOST_LINES:,} lines; the rest of the file was not read"
            raise FileFault(row.number, "", reasons.TOO_MANY_ITEMS, said)
        yield row
