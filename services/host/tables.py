"""Tables and trees for people: they fit a terminal. In a pipe a row is one line, however long, for `grep` and `cut`."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

UNFOLDED = 10_000
"""Columns of a line that nobody looks at."""


def cell(console: Console, text: str) -> Text:
    """A value as it is, without a meaning of its brackets and colons; in a pipe without its line breaks."""
    return Text(text if console.is_terminal else " ".join(text.split()))


def put(console: Console, shown: Table | Tree) -> None:
    """Prints it."""
    if console.is_terminal:
        console.print(shown)
    else:
        Console(file=console.file, width=UNFOLDED, color_system=None).print(shown)
