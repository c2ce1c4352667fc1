"""Options that commands share which work on databases themselves, and the settings that they make with the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.service.settings import build
from services.host.contexts import CONTEXTS, DEFAULT_SERVER
from services.host.process.settings import HostSettings, SettingError, default_data
from services.host.process.variables import Given, disagreement, from_environment

Data = Annotated[
    Path | None, typer.Option(file_okay=False, help="Folder of the SQLite files; default in the user's data directory.")
]
DatabaseUrl = Annotated[str, typer.Option(help="PostgreSQL instead of SQLite files, a schema per service.")]


def require_context(name: str) -> str:
    """The name, if a service has it. Raises `typer.BadParameter`."""
    if name and name not in CONTEXTS:
        raise typer.BadParameter(f"there is no service {name!r}: one of {', '.join(CONTEXTS)}")
    return name


def settings(**given: Any) -> HostSettings:
    """Settings of the environment, beaten by the options that were given. Raises `SettingError`."""
    return merged(environment(os.environ).settings, given)


def environment(variables: Mapping[str, str]) -> Given:
    """What the environment gives. Raises `SettingError`."""
    try:
        return from_environment(variables)
    except ValueError as error:
        raise SettingError(str(error)) from None


def merged(values: Mapping[str, Any], given: Mapping[str, Any]) -> HostSettings:
    """`values` beaten by the options that were given. Raises `SettingError` for two that do not fit together."""
    options = {key: value for key, value in given.items() if value not in (None, "")}
    services = values["services"]
    if "migrate" in options:
        services = {context: {**chosen, "migrate": options["migrate"]} for context, chosen in services.items()}
    common = {"data": default_data(), "bind": DEFAULT_SERVER, "addresses": values["addresses"], "files": values["files"]}
    common["services"] = services
    made = build(HostSettings, common, {**values, **options})
    if wrong := disagreement(made):
        raise SettingError(wrong)
    return made
