"""Restores one context into its SQLite file."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from libs.private import private_file
from services.host.backup import sqlite
from services.host.backup.archive import ContextPart, Manifest, bad
from services.host.backup.sealed import drop_statements
from services.host.backup.source import Progress
from services.host.backup.target import feed_statements, not_empty, owned, require_known, somebodys, wrong_rows


class SqliteTarget:
    """The file of one context."""

    def __init__(self, context: str, path: Path) -> None:
        self._context = context
        self._path = path
        self._loaded = path.with_name(path.name + ".restoring")

    async def check(self) -> None:
        """No file, or one without rows."""
        if not self._path.exists():
            return
        with closing(sqlite.connect(self._path)) as there:
            data = owned(self._context)
            for name, table in sqlite.tables(there).items():
                if not table.rows or name not in data:
                    continue
                if there.execute(f'SELECT 1 FROM "{name}" WHERE {somebodys(self._context, name)} LIMIT 1').fetchone():
                    raise not_empty(self._context, name)

    async def load(self, folder: Path, manifest: Manifest, progress: Progress, new_keys: bool = False) -> None:
        """Copies the file beside its place and looks it over."""
        part = manifest.contexts[self._context]
        require_known(self._context, part.revision)
        progress(self._context, "copying")
        await asyncio.to_thread(self._load, folder, part, new_keys)

    def _load(self, folder: Path, part: ContextPart, new_keys: bool) -> None:
        self._loaded.unlink(missing_ok=True)
        private_file(self._loaded)
        shutil.copyfile(folder / part.file, self._loaded)
        with closing(sqlite.connect(self._loaded)) as copy:
            if (found := copy.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise bad(folder, f"{part.file}: {found}")
            if broken := copy.execute("PRAGMA foreign_key_check").fetchall():
                raise bad(folder, f"{part.file}: rows of {broken[0][0]} refer to rows that do not exist")
            for name, table in sqlite.tables(copy).items():
                if table.rows != (wanted := part.tables[name].rows):
                    raise wrong_rows(self._context, name, table.rows, wanted)
            copy.execute("BEGIN")
            for statement in [*feed_statements(self._context), *(drop_statements(self._context) if new_keys else [])]:
                copy.execute(statement)
            copy.execute("COMMIT")

    async def commit(self) -> None:
        """Puts it into its place, under SQLite's own lock: a service may have the empty file open."""
        await self.check()
        private_file(self._path)
        with closing(sqlite.connect(self._loaded)) as copy, closing(sqlite3.connect(self._path)) as place:
            copy.backup(place)

    async def close(self) -> None:
        """Removes the copy."""
        if self._loaded.exists():
            os.unlink(self._loaded)
