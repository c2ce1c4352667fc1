"""`waybill config`: every setting, its variable, meaning, value and where the value comes from. Secrets are never shown."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from libs.db.url import HIDDEN as MASK
from libs.db.url import masked_url
from libs.service.settings import HIDDEN, URL
from services.host.database_options import environment, merged, require_context
from services.host.process.settings import HostSettings
from services.host.process.variables import ADDRESS, FILE, Variable, settings_class, variables
from services.host.tables import cell, put

out = Console()


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is shown."""

    variable: str
    name: str
    value: str
    unit: str
    source: str
    """`default`, `option --bind`, or `environment WAYBILL_POOL_SIZE`."""
    default: str
    range: str
    file: str
    """The variable that names a file with the value; empty where there is none."""
    meaning: str


def _shown(value: Any, shown: str) -> str:
    if value in (None, ""):
        return ""
    if shown == HIDDEN:
        return MASK
    if shown == URL:
        return masked_url(str(value))
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def explain(given: Mapping[str, str], options: Mapping[str, Any]) -> list[Setting]:
    """The settings that `waybill serve` would run with. Raises `SettingError` naming the variable that is wrong."""
    found = environment(given)
    settings = merged(found.settings, options)
    chosen = {key for key, value in options.items() if value not in (None, "")}
    return [_explained(variable, settings, found.sources, chosen) for variable in variables()]


def _explained(variable: Variable, settings: HostSettings, sources: Mapping[str, str], options: set[str]) -> Setting:
    about, name = variable.field.about, variable.setting
    source = "default"
    if name in options:
        source = f"option --{name.replace('_', '-')}"
    elif name in sources:
        source = f"environment {sources[name]}"
    elif variable.context and variable.field.within and variable.field.name in sources:
        source = f"environment {sources[variable.field.name]}"
    return Setting(
        variable=variable.name,
        name=name,
        value=_shown(_value(variable, settings), about.shown),
        unit=about.unit,
        source=source,
        default=_shown(variable.field.default, about.shown),
        range=variable.field.range,
        file=f"{variable.name}{FILE}" if about.file else "",
        meaning=about.meaning,
    )


def _value(variable: Variable, settings: HostSettings) -> Any:
    name, context = variable.field.name, variable.context
    if variable.field is ADDRESS:
        return settings.addresses.get(context)
    if context and variable.field.within:
        return getattr(getattr(settings.settings_of(context, settings_class(context)), variable.field.within), name)
    if context:
        return settings.services.get(context, {}).get(name, variable.field.default)
    if variable.field.within:
        return getattr(getattr(settings, variable.field.within), name)
    if name == "service_bind" and settings.only:
        return settings.inner_bind
    return getattr(settings, name)


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
    """Prints every setting: its variable, value, where that comes from, range and meaning; secrets are masked."""
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
    settings = explain(os.environ, options)
    if json:
        typer.echo(orjson.dumps([dataclasses.asdict(s) for s in settings], option=orjson.OPT_INDENT_2))
        return
    table = Table("variable", "value", "from", "default", "range", "meaning", box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for s in settings:
        source = s.source.removeprefix("environment ").replace(s.variable, "variable", 1) if s.source != "default" else ""
        texts = (s.variable, _with(s.value, s.unit), source, _with(s.default, s.unit), s.range, s.meaning)
        table.add_row(*(cell(out, text) for text in texts))
    put(out, table)


def _with(value: str, unit: str) -> str:
    return f"{value} {unit}" if value and unit else value
