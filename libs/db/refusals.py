"""A database that cannot do its part now, as an error that callers know and may try again."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from libs.db import conflicts
from libs.db.failures import is_retryable
from libs.errors import Kind, WaybillError
from libs.obs import get_logger
from waybill.type.v1 import reasons

_LOG = get_logger("database")

_BUSY = {"55P03", "57014", "53300"}
"""lock_timeout, statement_timeout, no connection left."""
_FULL = {"53100"}
_AWAY = {"57P01", "57P02", "57P03", "57P05", "25P03", "53200", "58030"}
"""Shutting down, crashed, starting up, idle for too long, out of memory, a failing disk."""
_UNSTORABLE = {"22001", "22021", "22P05"}
"""Longer than the column, NUL in a text, NUL in a JSON."""
_SQLITE_AWAY = ("SQLITE_IOERR", "SQLITE_CANTOPEN")
CONNECTING = (OSError, PoolTimeoutError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What opening a connection fails by."""


def busy(undone: bool = False) -> WaybillError:
    """Others hold what is wanted for too long, or undid the transaction; nothing has happened."""
    return WaybillError(
        Kind.UNAVAILABLE,
        reasons.DATABASE_BUSY,
        "the database is busy with other work",
        retry_after=timedelta(milliseconds=100),
        undone=undone,
    )


def unavailable() -> WaybillError:
    """The connection is lost or cannot be made. Whether a commit under way took place is unknown."""
    return WaybillError(
        Kind.UNAVAILABLE, reasons.DATABASE_UNAVAILABLE, "the database does not answer", retry_after=timedelta(seconds=1)
    )


def full() -> WaybillError:
    """The database's disk is full; nothing has happened. It goes on by itself when there is space."""
    return WaybillError(Kind.UNAVAILABLE, reasons.STORAGE_FULL, "the database's disk is full", retry_after=timedelta(seconds=5))


def unstorable(state: str) -> WaybillError | None:
    """A value is longer than there is room for, or has characters that no database of ours stores; nothing has happened.

    Requests are checked before; this is the net below. The database does not say which value it was. None, for a defect,
    where the value was accepted before: a request on which something has been decided is never called wrong afterwards.
    """
    if not conflicts.is_what_was_asked():
        return None
    _LOG.warning("value_not_storable", sqlstate=state)
    text = "a value is too long, or has characters that cannot be stored"
    return WaybillError(Kind.INVALID, reasons.VALUE_NOT_STORABLE, text)


def refusal(error: BaseException, connected: bool = True) -> WaybillError | None:
    """The error that the caller gets; None for a defect, a broken constraint, or no error of the database.

    Before a connection is there, whatever goes wrong means that the database is not to be had.
    """
    if connected and not isinstance(error, DBAPIError):
        return None
    if isinstance(error, IntegrityError):
        return None
    if isinstance(error, PoolTimeoutError) or is_retryable(error):
        return busy(is_retryable(error))
    original = error.orig if isinstance(error, DBAPIError) else error
    state = str(getattr(original, "sqlstate", None) or "")
    if state in _BUSY:
        return busy()
    if state in _UNSTORABLE:
        return unstorable(state)
    name = str(getattr(original, "sqlite_errorname", "") or "")
    if state in _FULL or name.startswith("SQLITE_FULL"):
        return full()
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if not connected or lost or state in _AWAY or state.startswith("08") or name.startswith(_SQLITE_AWAY):
        return unavailable()
    return None
