"""`waybill config`: every setting of a process, its value and where the value comes from. Secrets are never shown."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from libs.db.url import HIDDEN, masked_url
from services.host.contexts import CONTEXTS, DEFAULT_SERVER
from services.host.options import require_context
from services.host.process.settings import (
    CONTEXT_VARIABLES,
    SECRET,
    URL,
    VARIABLES,
    HostSettings,
    SettingError,
    default_data,
    from_environment,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is shown."""

    name: str
    value: str
    source: str
    """`default`, `option --bind`, or `environment WAYBILL_POOL_SIZE`."""


def _shown(value: Any, metadata: Mapping[str, str]) -> str:
    if value in (None, ""):
        return ""
    if metadata == SECRET:
        return HIDDEN
    return masked_url(str(value)) if metadata == URL else str(value)


def explain(environment: Mapping[str, str], options: Mapping[str, Any]) -> list[Setting]:
    """The settings that `waybill serve` would run with. Raises ValueError naming the variable that is wrong."""
    given = {key: value for key, value in options.items() if value not in (None, "")}
    found = from_environment(environment)
    settings = HostSettings(**{"data": default_data(), "bind": DEFAULT_SERVER, **found, **given})
    shown: list[Setting] = []
    for field in dataclasses.fields(HostSettings):
        value, name = getattr(settings, field.name), field.name
        if name in CONTEXT_VARIABLES:
            for context in CONTEXTS:
                own = value.get(context)
                source = f"environment {CONTEXT_VARIABLES[name].format(context.upper())}" if own else "default"
                shown.append(Setting(f"{name}.{context}", _shown(own, field.metadata), source))
            continue
        if name == "service_bind" and settings.only:
            value = settings.inner_bind
        source = "default"
        if name in given:
            source = f"option --{name.replace('_', '-')}"
        elif name in found:
            source = f"environment {VARIABLES[name][0]}"
        shown.append(Setting(name, _shown(value, field.metadata), source))
    return shown


def config(
    data: Annotated[Path | None, typer.Option(file_okay=False, help="As `waybill serve` has it; so are the others.")] = None,
    database_url: Annotated[str, typer.Option()] = "",
    bind: Annotated[str, typer.Option()] = "",
    service_bind: Annotated[str, typer.Option()] = "",
    only: Annotated[str, typer.Option(callback=require_context)] = "",
    tls_certificate: Annotated[Path | None, typer.Option()] = None,
    tls_key: Annotated[Path | None, typer.Option()] = None,
    metrics_bind: Annotated[str, typer.Option()] = "",
    json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Prints every setting, its value and where that comes from; secrets and passwords are masked."""
    options = {
        "data": data,
        "database_url": database_url,
        "bind": bind,
        "service_bind": service_bind,
        "only": only,
        "tls_certificate": tls_certificate,
        "tls_key": tls_key,
        "metrics_bind": metrics_bind,
    }
    try:
        settings = explain(os.environ, options)
    except ValueError as error:
        raise SettingError(str(error)) from None
    if json:
        typer.echo(orjson.dumps([dataclasses.asdict(s) for s in settings], option=orjson.OPT_INDENT_2))
        return
    widths = [max(len(text) for text in column) for column in zip(*((s.name, s.source) for s in settings), strict=True)]
    for setting in settings:
        typer.echo(f"{setting.name:<{widths[0]}}  {setting.source:<{widths[1]}}  {setting.value}".rstrip())
