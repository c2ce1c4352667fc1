"""What the cut needs of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from libs.errors import WaybillError, precondition
from services.host.backup.archive import ContextPart

Tell = Callable[[str, str], None]
"""Notes progress: (context, what is being done)."""


class NotHeld(Exception):
    """The writers could not be fenced in the time given; nothing is held."""


class Source(Protocol):
    """One database with one or more contexts."""

    async def hold(self, seconds: float) -> None:
        """Keeps writers out, and readers not. Raises `NotHeld` when it takes longer than `seconds`."""

    async def look(self) -> None:
        """Fixes what `copy` will see, while writers are out."""

    async def release(self) -> None:
        """Lets the writers in again; whatever was looked at stays. Harmless when nothing is held."""

    async def copy(self, folder: Path, tell: Tell) -> dict[str, ContextPart]:
        """Writes the contexts as they were looked at."""

    async def close(self) -> None:
        """Ends every connection."""


def no_tables(context: str, where: str) -> WaybillError:
    """There is nothing to back up."""
    message = f"{context} has no tables in {where}: is this the database that the services use?"
    return precondition("DATABASE_MISSING", message, context=context)
