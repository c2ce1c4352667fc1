"""SQLAlchemy's engines, as this project wants them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from libs.db.sqlite import creator
from libs.db.tuning import Tuning
from libs.private import FOLDER, close, private_file

PING = sa.text("SELECT 1 AS alive")
"""Asked of a database every few seconds; nobody's statement, so it is not counted."""


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


_JSON: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": orjson.loads}


def sqlite_engines(url: URL, tuning: Tuning) -> tuple[AsyncEngine, AsyncEngine]:
    """(one writing connection, some reading ones) to one file; its folder is made."""
    path = url.database or ""
    if not path or path == ":memory:":
        raise ValueError("SQLite needs a file")
    _keep_private(Path(path))

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

    return engine(1, True), engine(tuning.sqlite_readers, False)


def _keep_private(path: Path) -> None:
    """Makes the file before SQLite does, which gives the files beside it the same permissions; closes those of before."""
    path.parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    # Where no file can be made, SQLite says so when it opens it.
    with suppress(OSError):
        private_file(path)
        for beside in ("-wal", "-shm", "-journal"):
            close(path.with_name(path.name + beside))


def _begin(connection: Any) -> None:
    connection.driver_connection.begin()


ABANDONED = 1
"""Seconds after which a server sees that a process died while its statement waits, and gives up the locks it holds. No
setting: the server looks cheaply, and nobody wants locks of the dead for longer."""


def postgresql_engine(url: URL, schema: str | None, tuning: Tuning) -> AsyncEngine:
    """A pool of connections that see `schema` only."""
    settings = {"jit": "off", "application_name": "waybill", "client_connection_check_interval": str(ABANDONED * 1_000)}
    for name, seconds in (
        ("statement_timeout", tuning.statement_timeout),
        ("lock_timeout", tuning.lock_timeout),
        ("idle_in_transaction_session_timeout", tuning.idle_timeout),
    ):
        settings[name] = str(round(seconds * 1_000))
    if schema:
        settings["search_path"] = '"{}"'.format(schema.replace('"', '""'))
    made = create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=tuning.pool_size,
        max_overflow=0,
        pool_timeout=tuning.pool_timeout or None,
        connect_args={
            "server_settings": settings,
            "prepared_statement_cache_size": 300,
            "timeout": tuning.connect_timeout or None,
            "command_timeout": tuning.statement_timeout + tuning.reply_timeout if tuning.statement_timeout else None,
        },
        **_JSON,
    )
    sa.event.listen(made.sync_engine, "checkout", _refuse_closed)
    return made


def _refuse_closed(connection: Any, *_: Any) -> None:
    """Replaces a pooled connection that the server has closed. The driver knows; it costs no round trip."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError("closed by the server")
