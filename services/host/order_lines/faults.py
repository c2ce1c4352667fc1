"""What is wrong in a file of lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from waybill.order.v1 import reasons

WHOLE_FILE = 0
"""The row of a fault that is of no single row."""
MOST_FAULTS = 1_000


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that cannot be, or a row that is none."""

    row: int
    """In CSV as spreadsheets number them: the header is row 1, and empty rows count. In JSON the place in the list, from 1."""
    column: str
    """Empty where it is the whole row."""
    reason: str
    """One of the order service's reasons."""
    description: str


class FileFault(Exception):
    """The file is not read any further, so that nothing is known of the rest of it."""

    def __init__(self, row: int, column: str, reason: str, description: str) -> None:
        super().__init__(description)
        self.fault = Fault(row, column, reason, description)


@dataclass(slots=True)
class Faults:
    """Collects them, so that whoever mends the file sees them all at once."""

    items: list[Fault] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.items)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.items)

    def add(self, row: int, column: str, reason: str, description: str) -> None:
        """Notes one. Raises `FileFault` when there are so many that nobody reads on."""
        if len(self.items) == MOST_FAULTS:
            said = f"more than {MOST_FAULTS:,} faults; the rest of the file was not read"
            raise FileFault(WHOLE_FILE, "", reasons.TOO_MANY_ITEMS, said)
        self.items.append(Fault(row, column, reason, description))


@dataclass(frozen=True, slots=True)
class Row:
    """A row that could be read: its number, and its values by column. `xp` is an object in both formats."""

    number: int
    values: dict[str, object]
