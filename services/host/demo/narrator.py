"""Narrates the demo for a person as it happens; for a machine it keeps quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.tree import Tree

from services.host.tables import put

COLOURS = {"seller": "magenta", "buyer": "cyan", "supplier": "yellow", "waybill": "green", "stranger": "red"}


class Narrator:
    """Chapters, lines with who does what, tables, the order tree."""

    def __init__(self, console: Console, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._chapter = 0

    def chapter(self, title: str) -> None:
        """A new part of the story."""
        self._chapter += 1
        if not self._quiet:
            self._console.print()
            self._console.rule(f"[bold]{self._chapter}. {title}[/bold]", align="left", style="dim")

    def line(self, who: str, text: str) -> None:
        """Who does what. `who` is `role name`, such as `buyer ada`."""
        if self._quiet:
            return
        role, _, name = who.partition(" ")
        colour = COLOURS.get(role, "white")
        self._console.print(f"  [{colour}]{(name or role):>16}[/{colour}]  {text}", highlight=False)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> None:
        """Figures; columns named in `right` are set flush right."""
        if self._quiet:
            return
        table = Table(box=box.SIMPLE, pad_edge=False, header_style="dim")
        for i, column in enumerate(columns):
            table.add_column(column, justify="right" if i in right else "left")
        for row in rows:
            table.add_row(*row)
        put(self._console, table)

    def tree(self, title: str, branches: Iterable[tuple[str, Sequence[str]]]) -> None:
        """The order with what hangs below it."""
        if self._quiet:
            return
        tree = Tree(title, guide_style="dim")
        for branch, leaves in branches:
            node = tree.add(branch)
            for leaf in leaves:
                node.add(leaf)
        put(self._console, tree)

    async def wait(self, seconds: int) -> None:
        """Lets time pass, with a bar that shows how much of it is left."""
        columns = TextColumn(" " * 18), BarColumn(), TextColumn("{task.fields[left]} s left")
        with Progress(*columns, console=self._console, transient=True, disable=self._quiet) as progress:
            task = progress.add_task("", total=seconds, left=seconds)
            for gone in range(1, seconds + 1):
                await asyncio.sleep(1)
                progress.update(task, completed=gone, left=seconds - gone)

    def end(self, text: str) -> None:
        """The last line."""
        if not self._quiet:
            self._console.print()
            self._console.print(text)
