"""What a database's refusal means, the same for both databases."""

from __future__ import annotations

import re

from sqlalchemy.exc import DBAPIError, IntegrityError

_RETRYABLE = ("40001", "40P01")
_LOCK_TIMEOUT = "55P03"
_UNIQUE = "23505"
_COLUMNS = re.compile(r"UNIQUE constraint failed: (.+)\Z")
_INDEX = re.compile(r"UNIQUE constraint failed: index '(.+)'\Z")


def is_busy(error: BaseException) -> bool:
    """Whether another process holds SQLite's write lock."""
    return isinstance(error, DBAPIError) and "database is locked" in str(error.orig)


def is_lock_timeout(error: BaseException | None) -> bool:
    """Whether PostgreSQL waited for a lock as long as it may."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT


def is_retryable(error: BaseException) -> bool:
    """Whether the transaction was undone only because of others: serialization failure, deadlock, busy file."""
    if not isinstance(error, DBAPIError):
        return False
    return getattr(error.orig, "sqlstate", None) in _RETRYABLE or is_busy(error)


def is_unique_violation(error: BaseException, name: str = "") -> bool:
    """Whether a unique constraint or index said no.

    `name` narrows it: the constraint's whole name (by the naming convention of `metadata()`; SQLite does not report names
    chosen otherwise, except of indexes over expressions) or one of its columns.
    """
    if not isinstance(error, IntegrityError):
        return False
    names = _names(error)
    return names is not None and (not name or name in names)


def _names(error: IntegrityError) -> set[str] | None:
    """What the violated constraint may be called, and its columns; None when it was no unique constraint."""
    if getattr(error.orig, "sqlstate", None) == _UNIQUE:
        cause = getattr(error.orig, "__cause__", None)
        detail = str(getattr(cause, "detail", "") or "")
        columns = detail.partition("Key (")[2].partition(")=")[0].split(", ")
        return {str(getattr(cause, "constraint_name", "") or ""), *columns} - {""}
    text = str(error.orig)
    if (index := _INDEX.search(text)) is not None:
        return {index[1]}
    if (found := _COLUMNS.search(text)) is None:
        return None
    pairs = [column.rsplit(".", 1) for column in found[1].split(", ")]
    table, names = pairs[0][0], [pair[-1] for pair in pairs]
    if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_PRIMARYKEY":
        return {f"pk_{table}", *names}
    joined = "_".join(names)
    return {f"uq_{table}_{joined}", f"ix_{table}_{joined}", *names}
