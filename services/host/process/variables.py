"""The variables of the environment: one for each setting of the process and of every service, and none besides.

A setting of the process is `WAYBILL_<NAME>`, that of a service `WAYBILL_<SERVICE>_<NAME>`. How services use their databases
can be set for all of them and for single ones. A value that is secret or long may stand in a file, which the variable with
`_FILE` behind it names.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from libs.service.service_settings import ServiceSettings
from libs.service.settings import About, Field, fields_of, misfits
from services.host.contexts import CONTEXTS
from services.host.process.settings import HostSettings

PREFIX = "WAYBILL_"
FILE = "_FILE"
_NAMED_BY_OTHERS = {"otlp_endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT"}
"""Settings whose variables have names that every program knows."""
ADDRESS = Field(
    "address",
    str,
    False,
    "",
    About("Where the service serves the others when this process does not host it: host:port, or several with commas."),
)
"""Not a setting of the service itself: where its neighbours find it."""
_ELSEWHERE = frozenset(
    f"{PREFIX}{name}"
    for name in (
        # Of commands that call a marketplace, and of tests that watch a process.
        *("CLIENT_ID", "CLIENT_SECRET", "SERVER", "FAILPOINTS_DIR"),
        # Of docker-compose.yml and the building of the image.
        *("IMAGE", "PYTHON_IMAGE", "POSTGRES_IMAGE", "POSTGRES_PASSWORD", "POSTGRES_CONNECTIONS", "PUBLISH"),
        *("HEALTH_INTERVAL", "ORDER_REPLICAS", *(f"{context.upper()}_PORTS" for context in CONTEXTS)),
    )
)
"""Read by something else than a process that serves, and no mistake in its environment."""
_OF_TESTS = re.compile(rf"{PREFIX}(TEST|CHAOS)_\w+")
_OF_KUBERNETES = re.compile(
    PREFIX + r"([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""What Kubernetes puts into every container when a Service of it is called `waybill` or `waybill-<something>`."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable and the setting that it gives."""

    name: str
    field: Field
    context: str = ""
    """The service that it is for; empty for the process."""

    @property
    def setting(self) -> str:
        """The name of the setting: `max_calls`, `payment.gateway_timeout`."""
        return f"{self.context}.{self.field.name}" if self.context else self.field.name


@dataclass(frozen=True, slots=True)
class Given:
    """What an environment says."""

    settings: dict[str, Any]
    """By name of the setting, those of groups in `HostSettings` included; and those of single services."""
    sources: dict[str, str]
    """By name of the setting: the variable that gave it."""


@cache
def variables() -> tuple[Variable, ...]:
    """Every variable: those of the process, then those of each service."""
    own = [Variable(_NAMED_BY_OTHERS.get(one.name, f"{PREFIX}{one.name.upper()}"), one) for one in fields_of(HostSettings)]
    return (*own, *(variable for context in CONTEXTS for variable in _of_service(context)))


def settings_class(context: str) -> type[ServiceSettings]:
    """The settings of a context's service."""
    found: type[ServiceSettings] = import_module(f"services.{context}.settings").Settings
    return found


def _of_service(context: str) -> Iterator[Variable]:
    for one in (ADDRESS, *fields_of(settings_class(context))):
        yield Variable(f"{PREFIX}{context.upper()}_{one.name.upper()}", one, context)


def from_environment(environment: Mapping[str, str]) -> Given:
    """Settings that the environment gives; the command line beats them. Raises ValueError naming the variable."""
    _require_known(environment)
    given, sources = Given({}, {}), {}
    files: dict[str, Path] = {}
    addresses: dict[str, str] = {}
    services: dict[str, dict[str, Any]] = {}
    for variable in variables():
        name, text = _text(variable, environment)
        if not text:
            continue
        try:
            value = variable.field.read(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        sources[variable.setting] = name
        if name != variable.name:
            files[variable.setting] = Path(environment[name])
        if variable.field is ADDRESS:
            addresses[variable.context] = value
        elif variable.context:
            services.setdefault(variable.context, {})[variable.field.name] = value
        else:
            given.settings[variable.field.name] = value
    given.sources.update(sources)
    given.settings.update(addresses=addresses, services=services, files=files)
    return given


def _text(variable: Variable, environment: Mapping[str, str]) -> tuple[str, str]:
    """The variable that gives the value, and the value's text; empty for none."""
    name, file = variable.name, f"{variable.name}{FILE}"
    text, path = environment.get(name, ""), environment.get(file, "") if variable.field.about.file else ""
    if text and path:
        raise ValueError(f"{name} and {file} are both given: one of them is enough")
    if not path:
        return name, text
    try:
        text = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ValueError(f"{file}: {path} cannot be read: {reason}") from None
    if not text:
        raise ValueError(f"{file}: {path} is empty")
    return file, text


def disagreement(host: HostSettings) -> str:
    """What is wrong between two settings each of which is within its range; empty where all fit together."""
    services = {context: host.settings_of(context, settings_class(context)) for context in host.hosted}
    for context, settings in {"": host, **services}.items():
        for one, other in misfits(settings):
            low, high = (_said(context, field, settings) for field in (one, other))
            return f"{low} must be below {high}"
    return ""


def _said(context: str, field: Field, settings: object) -> str:
    """A setting by its variable, with its value."""
    name = next(v.name for v in variables() if (v.context, v.field.name) == (context, field.name))
    return f"{name} ({field.value_in(settings):g} {field.about.unit})".replace(" )", ")")


@cache
def known() -> frozenset[str]:
    """The names of all variables that mean something to a process that serves."""
    return frozenset(v.name for v in variables()) | {f"{v.name}{FILE}" for v in variables() if v.field.about.file}


def _require_known(environment: Mapping[str, str]) -> None:
    """Raises ValueError for variables of ours that nothing reads: a misspelt one would be passed over in silence."""
    ours = sorted(name for name in environment if name.startswith(PREFIX))
    strange = [name for name in ours if name not in known() | _ELSEWHERE]
    strange = [name for name in strange if not _OF_TESTS.fullmatch(name) and not _OF_KUBERNETES.fullmatch(name)]
    if strange:
        raise ValueError("; ".join(map(_unknown, strange)) + " (`waybill config` lists all variables)")


def _unknown(name: str) -> str:
    nearest = difflib.get_close_matches(name, sorted(known()), 1, 0.0)
    return f"{name} is no variable of Waybill; the nearest is {nearest[0]}"
