"""Options that commands share which work on databases themselves, and the settings that they make with the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from services.host.contexts import CONTEXTS
from services.host.process.settings import HostSettings, SettingError, default_data, from_environment

Data = Annotated[
    Path | None, typer.Option(file_okay=False, help="Folder of the SQLite files; default in the user's data directory.")
]
DatabaseUrl = Annotated[str, typer.Option(help="PostgreSQL instead of SQLite files, a schema per service.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def require_context(name: str) -> str:
    """The name, if a service has it. Raises `typer.BadParameter`."""
    if name and name not in CONTEXTS:
        raise typer.BadParameter(f"there is no service {name!r}: one of {', '.join(CONTEXTS)}")
    return name


def settings(**given: Any) -> HostSettings:
    """Settings of the environment, beaten by the options that were given. Raises `SettingError`."""
    try:
        values = from_environment(os.environ)
    except ValueError as error:
        raise SettingError(str(error)) from None
    values.setdefault("data", default_data())
    values.update({key: value for key, value in given.items() if value not in (None, "")})
    return HostSettings(**values)  # type: ignore[arg-type]
