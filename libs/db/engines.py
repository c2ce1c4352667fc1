"""SQLAlchemy's engines, as this project wants them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from libs.db.sqlite import creator

READERS = 4
"""Reading connections per SQLite file."""
PING = sa.text("SELECT 1 AS alive")
"""Asked of a database every few seconds; nobody's statement, so it is not counted."""


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


_JSON: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": orjson.loads}


def sqlite_engines(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    """(one writing connection, some reading ones) to one file; its folder is made."""
    path = url.database or ""
    if not path or path == ":memory:":
        raise ValueError("SQLite needs a file")
    Path(path).parent.mkdir(parents=True, exist_ok=True)

    def engine(size: int, writes: bool) -> AsyncEngine:
        made = create_async_engine(
            f"sqlite+aiosqlite:///{path}",
            async_creator=creator(path, writes),
            pool_size=size,
            max_overflow=0,
            pool_timeout=60,
            # Every transaction of ours ends by COMMIT or ROLLBACK, and neither can be interrupted here.
            pool_reset_on_return=None,
            **_JSON,
        )
        made.dialect.do_begin = _begin  # type: ignore[method-assign, assignment]
        return made

    return engine(1, True), engine(READERS, False)


def _begin(connection: Any) -> None:
    connection.driver_connection.begin()


def postgresql_engine(url: URL, schema: str | None, pool_size: int) -> AsyncEngine:
    """A pool of connections that see `schema` only."""
    settings = {"jit": "off", "application_name": "waybill"}
    if schema:
        settings["search_path"] = '"{}"'.format(schema.replace('"', '""'))
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"server_settings": settings, "prepared_statement_cache_size": 300},
        **_JSON,
    )


def on_statement(engine: AsyncEngine, tell: Callable[[], None]) -> None:
    """Calls `tell` for each execution that is sent to the driver, except for looks whether it answers."""

    def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement != PING.text:
            tell()

    sa.event.listen(engine.sync_engine, "before_cursor_execute", before)
