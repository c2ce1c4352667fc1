"""What every server of this process would work out anew, kept for the next one: a run opens thousands of databases, a server
in service opens its own once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.db import database, migrate
from libs.db.direct import Row, Rows, Sender
from libs.db.schema_info import Known

_senders: dict[str, Sender] = {}
_known: dict[tuple[object, ...], Known] = {}
_revisions = migrate.revisions
_left: dict[tuple[object, ...], Left] = {}


@dataclass(frozen=True, slots=True)
class Left:
    """What migrations leave in a SQLite database that was empty."""

    statements: tuple[str, ...]
    """They make its tables and indexes, in the order in which the migrations made them."""
    rows: dict[str, tuple[tuple[Any, ...], ...]]
    """What they put in, by table."""

    @classmethod
    def of(cls, connection: Connection) -> Left:
        """Reads it."""
        look = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        made = connection.exec_driver_sql(look).all()
        # What is SQLite's own comes by itself; what it has counted does not.
        statements = tuple(statement for _, name, statement in made if not name.startswith("sqlite_"))
        tables = [name for kind, name, _ in made if kind == "table"]
        rows = {name: tuple(tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')) for name in tables}
        return cls(statements, {name: found for name, found in rows.items() if found})

    def put(self, connection: Connection) -> None:
        """Makes the same in a database that is empty."""
        for statement in self.statements:
            connection.exec_driver_sql(statement)
        for name, rows in self.rows.items():
            connection.exec_driver_sql(f'DELETE FROM "{name}"')
            connection.exec_driver_sql(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(rows[0]))})', list(rows))


class CommonCommand:
    """Alembic's commands. The migrations of a service run once on an empty SQLite database; the next that is empty gets what they
    left in it. On any other, and on PostgreSQL, they run."""

    @staticmethod
    def upgrade(settings: Config, revision: str) -> None:
        """As `alembic.command.upgrade`."""
        connection = settings.attributes["connection"]
        if connection.dialect.name != "sqlite" or connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first():
            command.upgrade(settings, revision)
            return
        key = (*_files(Path(settings.get_main_option("version_locations") or "")), revision)
        if key in _left:
            _left[key].put(connection)
        else:
            command.upgrade(settings, revision)
            _left[key] = Left.of(connection)


class CommonSender:
    """Sends as `Sender` does, with the statements that were compiled for any database of the same kind."""

    def __init__(self, dialect: Any) -> None:
        self._dialect = dialect

    async def send(
        self, connection: AsyncConnection, statement: Any, parameters: Row | Sequence[Row] | None, alone: bool
    ) -> Rows:
        """As `Sender.send`. The first that sends has a dialect that has met its server."""
        sender = _senders.get(self._dialect.name)
        if sender is None:
            sender = _senders.setdefault(self._dialect.name, Sender(self._dialect))
        return await sender.send(connection, statement, parameters, alone)


def revisions(versions: Path, revision: str = "head") -> Known:
    """As `libs.db.migrate.revisions`, read once for as long as the files are the same."""
    key = (*_files(versions), revision)
    if key not in _known:
        _known[key] = _revisions(versions, revision)
    return _known[key]


def _files(versions: Path) -> tuple[object, ...]:
    """The same for as long as the files are."""
    return (versions, tuple(sorted((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in versions.glob("*.py"))))


def begin() -> None:
    """From here on every database that this process opens takes part."""
    database.Sender = CommonSender  # type: ignore[misc, assignment]
    migrate.revisions = revisions
    migrate.command = CommonCommand  # type: ignore[assignment]
