"""What a command says when it cannot do its work: one line for people, an object for machines, and an exit code.

Commands raise; the command line shows. What `explained` does not know is a defect of Waybill, and keeps its traceback.
"""

from __future__ import annotations

import errno
import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping

import typer
from rich.console import Console
from typer._click.exceptions import ClickException, UsageError

from libs.errors import WaybillError
from libs.service.startup import StartupError
from waybill.type.v1 import reasons

REFUSED = 2
"""Exit code: the command could not do its work. Code 1 is for work that was done and found something wrong, and for servers
that cannot start although they may later."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Failure(Exception):
    """Why a command could not do its work."""

    def __init__(
        self,
        reason: str,
        message: str,
        metadata: Mapping[str, str] | None = None,
        exit_code: int = REFUSED,
        named: bool = False,
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.reason = reason
        """For machines: stable, in capitals."""
        self.message = message
        self.metadata = dict(metadata or {})
        self.exit_code = exit_code
        self.code = code
        """The status code of the call that a server refused; empty when none did."""
        self.named = named
        """Whether people are shown the reason too: a documented one that they can look up."""


def explained(error: BaseException) -> Failure | None:
    """The error for people; None when it is none that a person could do something about."""
    if isinstance(error, BaseExceptionGroup):
        every = [explained(one) for one in _leaves(error)]
        return every[0] if None not in every else None
    if isinstance(error, Failure):
        return error
    if isinstance(error, ClickException):
        return _misused(error)
    if isinstance(error, WaybillError):
        return Failure(error.reason, _with_cause(error.message, error), error.metadata, named=True)
    if isinstance(error, StartupError):
        return Failure(error.reason, _with_cause(str(error), error), exit_code=error.exit_code)
    return _of_server(error) or _of_database(error) or _of_machine(error)


def _with_cause(message: str, error: BaseException) -> str:
    """With what the database itself said, which whoever runs it may see and callers of a service may not."""
    cause = error.__cause__
    while cause is not None:
        if (said := _of_database(cause)) and said.message not in message:
            return f"{message} ({said.message})"
        cause = cause.__cause__
    return message


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _leaves(one)
        else:
            yield one


def _misused(error: ClickException) -> Failure:
    message = error.format_message().strip()
    if isinstance(error, UsageError) and error.ctx is not None:
        message = f"{message.rstrip('.')}. See: {error.ctx.command_path} --help"
    return Failure("USAGE", message, exit_code=error.exit_code)


def _of_server(error: BaseException) -> Failure | None:
    """A call that was refused, or that reached nobody."""
    # What is not imported was not raised; a command that calls nobody does not load gRPC for this.
    client = sys.modules.get("waybill_client")
    if client is None or not isinstance(error, client.WaybillError):
        return None
    reason, message = error.reason or error.code.name, error.message
    if reason == "UNAVAILABLE":
        message = f"no server answers: {message}"
    return Failure(reason, message, error.metadata, named=True, code=error.code.name)


def _of_database(error: BaseException) -> Failure | None:
    """What a database said, or the way to it."""
    found = False
    if alchemy := sys.modules.get("sqlalchemy.exc"):
        found = isinstance(error, alchemy.DBAPIError)
        error = getattr(error, "orig", None) or error
    if driver := sys.modules.get("asyncpg"):
        found = found or isinstance(error, (driver.PostgresError, driver.InterfaceError))
    if not found and not isinstance(error, sqlite3.Error):
        return None
    return Failure(reasons.DATABASE_UNAVAILABLE, f"{type(error).__name__}: {error}")


def _of_machine(error: BaseException) -> Failure | None:
    """What the operating system refused: a file, or a connection."""
    if not isinstance(error, OSError):
        return None
    what = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        return Failure("FILE_FAILED", f"{error.filename}: {what}")
    return Failure("FILE_FAILED" if error.errno in _FULL else "CONNECTION_FAILED", what)


def show(failure: Failure, as_json: bool) -> None:
    """Says it: to machines where they read the result, to people beside it."""
    if as_json:
        code = {"code": failure.code} if failure.code else {}
        said = {**code, "reason": failure.reason, "message": failure.message, "metadata": failure.metadata}
        typer.echo(json.dumps({"ok": False, "error": said}))
        return
    line = " ".join(failure.message.split())
    if failure.named:
        codes = dict.fromkeys((failure.code, failure.reason))
        line = f"{' '.join(filter(None, codes))}: {line}"
    Console(stderr=True).print(line, style="red", markup=False, emoji=False, highlight=False, soft_wrap=True)
