"""How operators' commands show what they found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table

from services.host.tables import cell, put

out = Console()
err = Console(stderr=True)


def show(found: Sequence[Any], as_json: bool, columns: Mapping[str, str], rows: Iterable[Sequence[str]], nothing: str) -> None:
    """For machines the messages, as one array with the names of their contracts; for people a table of rows, or one line
    when there is none. `columns` gives the style of each."""
    if as_json:
        print_json([as_data(message) for message in found])
        return
    lines = list(rows)
    if not lines:
        out.print(f"[green]{nothing}[/green]")
        return
    put(out, table(columns, lines))


def table(columns: Mapping[str, str], rows: Iterable[Sequence[str]]) -> Table:
    """Rows under their columns; `columns` gives the style of each."""
    made = Table(box=None, pad_edge=False)
    for name, style in columns.items():
        made.add_column(name, style=style or None, overflow="fold")
    for row in rows:
        made.add_row(*(cell(out, value) for value in row))
    return made


def print_json(value: Any) -> None:
    """For machines."""
    out.print_json(json.dumps(value))


def complain(text: str) -> None:
    """What was refused, in one line."""
    err.print(text, style="red", markup=False, soft_wrap=True)


def word(enum: Any, value: int) -> str:
    """A value of a contract's enum without the prefix that all its values have."""
    name: str = enum.Name(value)
    return name.removeprefix(enum.Name(0).removesuffix("UNSPECIFIED"))


def age(moment: Timestamp) -> str:
    """How long ago, or in how long, in people's words; empty when unset."""
    if not moment.seconds:
        return ""
    seconds = int((datetime.now(UTC) - moment.ToDatetime(UTC)).total_seconds())
    text = _length(abs(seconds))
    return text if seconds >= 0 else f"in {text}"


def due(moment: Timestamp) -> str:
    """When something happens next; empty when unset."""
    text = age(moment)
    return text if not text or text.startswith("in ") else "now"


def _length(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def as_data(message: Any) -> dict[str, Any]:
    """A message with the names of its contract."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
