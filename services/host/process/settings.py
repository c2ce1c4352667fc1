"""What a process is told: from the command line and from the environment (WAYBILL_...)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from libs.auth.strength import weakness
from libs.db.tuning import DEFAULT, Tuning
from libs.db.url import parsed_url
from libs.private import close, private_file, private_folder
from libs.service.startup import StartupError
from services.host.contexts import CONTEXTS

LAST_PORT = 65_535
SECRET = {"shown": "never"}
URL = {"shown": "without password"}
"""How `waybill config` shows a setting; others as they are."""


def default_data() -> Path:
    """A folder in the user's data directory."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "waybill"


@dataclass(frozen=True, slots=True)
class HostSettings:
    """One process. Without `only` it hosts every service."""

    data: Path | None = None
    """Folder of the SQLite files and of the service secret."""
    database_url: str = field(default="", metadata=URL)
    """PostgreSQL for all hosted services, each in its own schema `waybill_<context>`; takes the place of `data`."""
    database_urls: Mapping[str, str] = field(default_factory=dict, metadata=URL)
    """A database of its own for single contexts."""
    bind: str = "127.0.0.1:0"
    """Where outside callers are served: `host:port`."""
    service_bind: str = ""
    """Where a process of one service serves the others; empty for the port after that of `bind`. A process of all of them
    calls itself, on a port of the loopback that nobody needs to know."""
    only: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Where contexts serve other services that this process does not host: what their `service_bind` says."""
    service_secret: str = field(default="", metadata=SECRET)
    """Shared by all processes of a marketplace, at least 32 characters; made and kept in `data` when there is none."""
    seller_id: str = "seller"
    seller_name: str = "Seller"
    pool_size: int = 10
    """Connections to PostgreSQL of each hosted service. `Tuning` says more of this and what follows."""
    pool_timeout: float = DEFAULT.pool_timeout
    connect_timeout: float = DEFAULT.connect_timeout
    statement_timeout: float = DEFAULT.statement_timeout
    lock_timeout: float = DEFAULT.lock_timeout
    idle_timeout: float = DEFAULT.idle_timeout
    database_wait: float = 30.0
    """Seconds that a start waits for a database that does not answer."""
    migrate: bool = True
    """Whether a start migrates; without it a service refuses to start on a schema older than its own."""
    failpoints: str = ""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None
    """Certificates that vouch for the other services; without it services call each other in the clear."""
    background: bool = True
    drain_seconds: float | None = None
    """How long a server that is told to end goes on serving while its health says NOT_SERVING, so that callers find the
    other replicas first; 2 for a process of one service, 0 for one of all."""
    grace_seconds: float = 10.0
    """How long running calls may take to finish after that."""
    max_calls: int = 256
    """Calls of outside callers that a process serves at the same time; more are refused with RESOURCE_EXHAUSTED. Calls
    between services are never refused: one that is waiting for them would be refused half-way."""
    max_streams: int = 1_000
    """Streams, such as WatchOrders, that outside callers may have open at the same time; the same goes for more of them."""
    metrics_bind: str = ""
    """Where Prometheus reads this process: `host:port`, or `:port` on the loopback; empty for nowhere."""
    otlp_endpoint: str = field(default="", metadata=URL)
    """Where traces are sent: an OTLP receiver, such as `http://127.0.0.1:4317`; empty for nowhere."""

    @property
    def inner_bind(self) -> str:
        """Where services are served. Raises `BindError` when that is not to be told."""
        if not self.only:
            if self.service_bind:
                raise BindError("--service-bind is for a process of one service (--only); one of all of them calls itself")
            return "127.0.0.1:0"
        if self.service_bind:
            return self.service_bind
        host, _, port = self.bind.rpartition(":")
        if not host or not port.isdigit() or int(port) >= LAST_PORT:
            raise BindError(f"no port follows that of --bind {self.bind}: give --service-bind")
        return f"{host}:{int(port) + 1 if int(port) else 0}"

    @property
    def drain(self) -> float:
        """Seconds of notice."""
        if self.drain_seconds is not None:
            return self.drain_seconds
        return 2.0 if self.only else 0.0

    @property
    def tuning(self) -> Tuning:
        """How the hosted services use PostgreSQL."""
        return Tuning(
            self.pool_size,
            self.pool_timeout,
            self.connect_timeout,
            self.statement_timeout,
            self.lock_timeout,
            self.idle_timeout,
            self.migrate,
        )

    @property
    def hosted(self) -> tuple[str, ...]:
        """The contexts that this process serves."""
        return (self.only,) if self.only else CONTEXTS

    def database(self, context: str) -> tuple[str, str | None]:
        """URL and schema of a context's database."""
        own = self.database_urls.get(context)
        if own:
            return own, None if own.startswith("sqlite") else f"waybill_{context}"
        if self.database_url:
            return self.database_url, f"waybill_{context}"
        return f"sqlite:///{self.folder / f'{context}.sqlite3'}", None

    @property
    def folder(self) -> Path:
        """Where SQLite files and what else a process keeps are."""
        return self.data or default_data()

    @property
    def keeps_secret(self) -> bool:
        """Whether all that it hosts is on SQLite: on one machine, where the secret can be kept beside the files."""
        return all(parsed_url(self.database(context)[0]).get_backend_name() == "sqlite" for context in self.hosted)

    def secret(self) -> str:
        """The service secret: given, or kept beside the data, or made now. Raises `SecretError`."""
        if self.service_secret:
            if weak := weakness(self.service_secret):
                raise SecretError(f"WAYBILL_SERVICE_SECRET can be guessed: {weak}. {REMEDY}")
            return self.service_secret
        if self.keeps_secret:
            return _kept(self.folder / "service.secret")
        if self.only or self.addresses:
            raise SecretError(f"WAYBILL_SERVICE_SECRET is missing: services of other processes must know the same one. {REMEDY}")
        return secrets.token_urlsafe(48)

    def require_secret(self) -> None:
        """Raises `SecretError` where other processes on the same database would each make a secret of their own."""
        if not self.service_secret and not self.keeps_secret:
            why = "a database that other processes can use needs the secret that all of them share"
            raise SecretError(f"WAYBILL_SERVICE_SECRET is missing: {why}. {REMEDY}")


REMEDY = """Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"""


class BindError(StartupError):
    """The process was not told where to listen for services."""

    exit_code = 2
    reason = "ADDRESS_INVALID"


class SettingError(StartupError):
    """A variable of the environment says what its setting cannot be."""

    exit_code = 2
    reason = "SETTING_INVALID"


class SecretError(StartupError):
    """The service secret is missing, or worth nothing."""

    exit_code = 2
    reason = "SECRET_INVALID"


def _kept(path: Path) -> str:
    """The secret in the file; the first who asks makes it, and the others find it whole."""
    private_folder(path.parent)
    if not path.exists():
        made = path.with_name(f"{path.name}.{os.getpid()}")
        private_file(made)
        made.write_text(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    close(path)
    found = path.read_text().strip()
    if weak := weakness(found):
        raise SecretError(f"the service secret in {path} can be guessed: {weak}. Remove the file, and a new one is made")
    return found


def _switch(text: str) -> bool:
    """`on` or `off`, in the words that people use for it."""
    for words, meant in ((("on", "yes", "true", "1"), True), (("off", "no", "false", "0"), False)):
        if text.lower() in words:
            return meant
    raise ValueError(f"{text!r} is neither on nor off")


VARIABLES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "database_url": ("WAYBILL_DATABASE_URL", str),
    "service_bind": ("WAYBILL_SERVICE_BIND", str),
    "service_secret": ("WAYBILL_SERVICE_SECRET", str),
    "seller_id": ("WAYBILL_SELLER_ID", str),
    "seller_name": ("WAYBILL_SELLER_NAME", str),
    "pool_size": ("WAYBILL_POOL_SIZE", int),
    "max_calls": ("WAYBILL_MAX_CALLS", int),
    "max_streams": ("WAYBILL_MAX_STREAMS", int),
    "tls_certificate": ("WAYBILL_TLS_CERTIFICATE", Path),
    "tls_key": ("WAYBILL_TLS_KEY", Path),
    "tls_ca": ("WAYBILL_TLS_CA", Path),
    "pool_timeout": ("WAYBILL_POOL_TIMEOUT", float),
    "connect_timeout": ("WAYBILL_CONNECT_TIMEOUT", float),
    "statement_timeout": ("WAYBILL_STATEMENT_TIMEOUT", float),
    "lock_timeout": ("WAYBILL_LOCK_TIMEOUT", float),
    "idle_timeout": ("WAYBILL_IDLE_TIMEOUT", float),
    "database_wait": ("WAYBILL_DATABASE_WAIT", float),
    "migrate": ("WAYBILL_MIGRATE", _switch),
    "failpoints": ("WAYBILL_FAILPOINTS", str),
    "drain_seconds": ("WAYBILL_DRAIN_SECONDS", float),
    "grace_seconds": ("WAYBILL_GRACE_SECONDS", float),
    "metrics_bind": ("WAYBILL_METRICS_BIND", str),
    "otlp_endpoint": ("OTEL_EXPORTER_OTLP_ENDPOINT", str),
}
"""By setting: the variable that gives it, and how it is read."""
CONTEXT_VARIABLES: Mapping[str, str] = {"database_urls": "WAYBILL_{}_DATABASE_URL", "addresses": "WAYBILL_{}_ADDRESS"}
"""The same for settings that each context may have: the context stands between, in capitals."""


def from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Settings that the environment gives; the command line beats them. Raises ValueError naming the variable."""
    found: dict[str, object] = {}
    for key, (name, read) in VARIABLES.items():
        if environment.get(name):
            try:
                found[key] = read(environment[name])
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
    for key, form in CONTEXT_VARIABLES.items():
        names = {context: form.format(context.upper()) for context in CONTEXTS}
        found[key] = {context: environment[name] for context, name in names.items() if environment.get(name)}
    return found
