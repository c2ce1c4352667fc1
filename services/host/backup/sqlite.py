"""SQLite: each context's file, held by BEGIN IMMEDIATE, seen by an open read, copied page by page."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from services.host.backup.archive import ContextPart, TablePart, writing
from services.host.backup.sealed import seals, statement
from services.host.backup.source import NotHeld, Progress, no_tables

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"


def connect(path: Path) -> sqlite3.Connection:
    """Opens a file that exists; transactions are begun by hand."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False)


def tables(connection: sqlite3.Connection) -> dict[str, TablePart]:
    """Every table with its rows, but for Alembic's own."""
    names = [name for (name,) in connection.execute(_TABLES) if name != "alembic_version"]
    return {name: TablePart(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}


def revision(connection: sqlite3.Connection) -> str:
    """The revision of the tables."""
    return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


class SqliteSource:
    """The file of one context."""

    def __init__(self, context: str, path: Path) -> None:
        if not path.is_file():
            raise no_tables(context, str(path))
        self._context = context
        self._writer = connect(path)
        self._reader = connect(path)
        if not self._reader.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            raise no_tables(context, str(path))

    async def hold(self, seconds: float) -> None:
        """Takes the file's write lock, which only commits of other writers wait for."""
        self._writer.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        try:
            await asyncio.to_thread(self._writer.execute, "BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise NotHeld from None

    async def look(self) -> None:
        """Begins a read: it sees this moment until it ends."""
        self._reader.execute("BEGIN")
        self._reader.execute("SELECT count(*) FROM sqlite_master").fetchone()

    async def release(self) -> None:
        """Gives the lock back."""
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    async def copy(self, folder: Path, progress: Progress) -> dict[str, ContextPart]:
        """One file, complete in itself."""
        progress(self._context, "copying")
        part = await asyncio.to_thread(self._copy, folder)
        return {self._context: part}

    def _copy(self, folder: Path) -> ContextPart:
        name = f"{self._context}.sqlite3"
        with writing(folder / name):
            pass
        with closing(connect(folder / name)) as copy:
            self._reader.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            found = tables(copy)
            sealed = statement(self._context, found)
            by = seals(text for (text,) in copy.execute(sealed)) if sealed else seals(())
            return ContextPart("sqlite", revision(copy), found, file=name, sealing_keys=by.sealing_keys, lies_open=by.lies_open)

    async def close(self) -> None:
        """Closes the file."""
        self._writer.close()
        self._reader.close()
