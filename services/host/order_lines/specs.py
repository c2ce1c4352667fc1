"""What a row says of the specs of its product: an option by its id, or a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.host.order_lines.faults import Faults, Row
from waybill.order.v1 import line_item_pb2, reasons

NAME = "spec"
"""Of the object that holds what is said, by the id of the spec; in CSV each has a column `spec.ID` or `spec.ID.text`."""
TEXT = "text"
COLUMN = f"{NAME}."


def is_column(name: str) -> bool:
    """Whether a column of CSV is one of a spec. Ids have no dots."""
    _, *path = name.split(".")
    return name.startswith(COLUMN) and all(path) and (len(path) == 1 or path[1:] == [TEXT])


def put(faults: Faults, number: int, specs: dict[str, object], column: str, cell: str) -> None:
    """Takes a cell of such a column. An option and a text of one spec are noted."""
    _, id, *text = column.split(".")
    if id in specs:
        faults.add(number, column, reasons.FIELD_INVALID, f"{COLUMN}{id} has an option and a text in this row; it takes one")
    specs[id] = {TEXT: cell} if text else cell


def specs_of(faults: Faults, row: Row) -> Iterator[line_item_pb2.LineItemSpec]:
    """What is said, without what is wrong in it, which is noted."""
    said = row.values.get(NAME, {})
    if not isinstance(said, Mapping):
        faults.add(row.number, NAME, reasons.FIELD_INVALID, "an object is meant, with the ids of specs as names")
        return
    for id, value in said.items():
        field, text = "option_id", value
        if isinstance(value, Mapping) and value.keys() == {TEXT}:
            field, text = "value", value[TEXT]
        if isinstance(text, str) and writable(text) and writable(id):
            yield line_item_pb2.LineItemSpec(**{"spec_id": id, field: text})
        else:
            meant = f'the id of an option is meant, or a text as {{"{TEXT}": "..."}}'
            faults.add(row.number, column_of(id), reasons.FIELD_INVALID, meant)


def column_of(id: str, text: bool = False) -> str:
    """The column of a spec, or of its text; what cannot be written of the id is replaced."""
    return COLUMN + id.encode(errors="replace").decode() + (f".{TEXT}" if text else "")


def writable(text: str) -> bool:
    """Whether it has no half of a character, which JSON can write and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
