"""Which revision a database's tables have, and the oldest build that can work on them.

A rolling upgrade runs old and new builds side by side: *expand* (the migration only adds, and declares the oldest build
that may go on), *backfill*, and in a later release *contract*. Migrations declare it by

    min_reader = "0001"

the revision that the oldest build which works on the tables knows as its newest. Without it a migration is for builds that
know it, and for no older ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from libs.db.startup import SchemaError

TABLE = "schema_info"
SCHEMA_INFO = sa.Table(
    TABLE,
    sa.MetaData(),
    sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("revision", sa.String(32), nullable=False),
    sa.Column("min_reader", sa.String(32), nullable=False),
)


def is_of_a_service(_: object, name: str | None, kind: str, *__: object) -> bool:
    """Alembic's `include_object`: all but our own table, which no service declares."""
    return not (kind == "table" and name == TABLE)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a database says of itself. Empty texts: it says nothing."""

    revision: str
    min_reader: str


@dataclass(frozen=True, slots=True)
class Known:
    """The revisions that a build knows, oldest first, and the min_reader of the newest."""

    revisions: Sequence[str]
    min_reader: str

    @property
    def head(self) -> str:
        """The newest; empty when there is none."""
        return self.revisions[-1] if self.revisions else ""


def known(scripts: ScriptDirectory, upto: str = "head") -> Known:
    """What the migrations of this build say. Raises ValueError for a min_reader that is no revision up to its own."""
    revisions: list[str] = []
    oldest = 0
    for script in reversed(list(scripts.walk_revisions("base", upto))):
        revisions.append(script.revision)
        declared = str(getattr(script.module, "min_reader", script.revision))
        if declared not in revisions:
            raise ValueError(f"min_reader of {script.revision} is {declared!r}, which is no revision up to it")
        oldest = max(oldest, revisions.index(declared))
    return Known(revisions, revisions[oldest] if revisions else "")


def stored(connection: Connection) -> Stored:
    """Reads what the database says of itself."""
    revision = MigrationContext.configure(connection).get_current_revision() or ""
    # Unlike a search through all schemas this sees what the statements of the service see.
    if not sa.inspect(connection).has_table(TABLE):
        return Stored(revision, "")
    found = connection.execute(sa.select(SCHEMA_INFO.c.revision, SCHEMA_INFO.c.min_reader)).first()
    if found is None or found.revision != revision:
        return Stored(revision, "")
    return Stored(revision, found.min_reader)


def record(connection: Connection, build: Known) -> None:
    """Writes what the build's newest migration says."""
    SCHEMA_INFO.create(connection, checkfirst=True)
    connection.execute(sa.delete(SCHEMA_INFO))
    connection.execute(sa.insert(SCHEMA_INFO), {"id": 1, "revision": build.head, "min_reader": build.min_reader})


def is_newer(build: Known, database: Stored) -> bool:
    """Whether the database was migrated by a newer build. Raises `SchemaError` when this one may not work on it."""
    if not database.revision or database.revision in build.revisions:
        return False
    if database.min_reader in build.revisions:
        return True
    needs = f"builds that know {database.min_reader}" if database.min_reader else "newer builds"
    raise SchemaError(
        f"is at {database.revision} and serves {needs}; this build's newest is {build.head or 'none'}: use a newer build"
    )


def require(build: Known, database: Stored) -> None:
    """Raises `SchemaError` unless this build may work on the database as it is."""
    if is_newer(build, database) or database.revision == build.head:
        return
    at = f"at {database.revision}" if database.revision else "empty"
    raise SchemaError(f"is {at}, this build needs {build.head}: run `waybill migrate`")
