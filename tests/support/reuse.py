"""What every server of this process would work out anew, kept for the next one: a run opens thousands of databases, a server
in service opens its own once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from libs.db import database, migrate
from libs.db.direct import Row, Rows, Sender
from libs.db.schema_info import Known

_senders: dict[str, Sender] = {}
_known: dict[tuple[object, ...], Known] = {}
_revisions = migrate.revisions


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
    key = (versions, revision, tuple(sorted((p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in versions.glob("*.py"))))
    if key not in _known:
        _known[key] = _revisions(versions, revision)
    return _known[key]


def begin() -> None:
    """From here on every database that this process opens takes part."""
    database.Sender = CommonSender  # type: ignore[misc, assignment]
    migrate.revisions = revisions
