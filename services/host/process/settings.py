"""The settings of a process: from the command line and from the environment (WAYBILL_...)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from libs.auth.service_tokens import LIFETIME
from libs.auth.strength import weakness
from libs.db.tuning import DEFAULT, Tuning
from libs.db.url import parsed_url
from libs.private import close, private_file, private_folder
from libs.rpc.breaker import DEFAULT as CALLS
from libs.rpc.breaker import CallLimits
from libs.rpc.fairness.connections import DEFAULT as CONNECTIONS
from libs.rpc.fairness.connections import ConnectionLimits
from libs.rpc.fairness.limits import DEFAULT as OUTSIDE
from libs.rpc.fairness.limits import OutsideLimits
from libs.rpc.health_limits import DEFAULT as HEALTH
from libs.rpc.health_limits import HealthLimits
from libs.service.service_settings import ServiceSettings
from libs.service.settings import HIDDEN, SECONDS, URL, build, seconds, setting
from libs.service.startup import StartupError
from services.host.contexts import CONTEXTS

LAST_PORT = 65_535
S = TypeVar("S", bound=ServiceSettings)


def default_data() -> Path:
    """A folder in the user's data directory."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "waybill"


@dataclass(frozen=True, slots=True)
class HostSettings:
    """One process. Without `only` it hosts every service. Times are in seconds."""

    data: Path | None = setting(None, "Folder of the SQLite files and of the service secret.")
    database_url: str = setting(
        "", "PostgreSQL for all hosted services, each in a schema of its own; takes the place of the data folder.", shown=URL
    )
    bind: str = setting("127.0.0.1:0", "Where outside callers are served: host:port.")
    service_bind: str = setting(
        "", "Where a process of one service serves the others: host:port; the port after that of the bind unless given."
    )
    """A process of all services calls itself, on a port of the loopback that nobody needs to know."""
    only: str = setting("", "The one service that the process hosts; all of them unless given.", choices=CONTEXTS)
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Where contexts serve other services that this process does not host: what their `service_bind` says."""
    service_secret: str = setting(
        "", "Shared by all processes of a marketplace, 32 or more characters; made and kept beside SQLite files.", shown=HIDDEN
    )
    service_key: Path | None = setting(
        None,
        "With --only: PEM file of the private key that the service's calls to others are signed with; no secret is shared then.",
    )
    service_public_keys: Path | None = setting(
        None, "Folder with the public keys of all services, <service>.pem each, that their calls are verified with."
    )
    sealing_key: str = setting(
        "",
        "For the directory: what the keys of tokens in its database are sealed by, 32 bytes in base64; of several lines the "
        "first seals and all open. Made and kept in the user's configuration folder for SQLite files that one process serves.",
        shown=HIDDEN,
    )
    files: Mapping[str, Path] = field(default_factory=dict)
    """By setting: the file that its value was read from, where it was."""
    tuning: Tuning = DEFAULT
    """How hosted services use their databases, where nothing else is set."""
    calls: CallLimits = CALLS
    """What services grant each other."""
    health: HealthLimits = HEALTH
    """How often the process looks whether its databases and the other services answer."""
    service_token_lifetime: float = seconds(
        LIFETIME,
        "How long a token between services holds, which may be a minute more where clocks differ.",
        at_least=10.0,
        at_most=300.0,
    )
    services: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Settings of single services: by context, by field of its settings. What is not here keeps its default."""
    database_wait: float = seconds(30.0, "How long a start waits for a database that does not answer; 0 tries once.")
    failpoints: str = setting("", "Places at which the process fails, for tests: <name>=raise or <name>=exit, with commas.")
    tls_certificate: Path | None = setting(None, "PEM file of the certificate that callers are shown.")
    tls_key: Path | None = setting(None, "PEM file of its key.")
    tls_ca: Path | None = setting(
        None, "PEM file of certificates that vouch for the other services; without it they are called in the clear."
    )
    service_tls_ca: Path | None = setting(
        None,
        "With --only: PEM file of certificates that vouch for all services, those that call and those that are called; whoever "
        "shows none of theirs is not let in where services are served.",
    )
    service_tls_certificate: Path | None = setting(None, "PEM file of the certificate that the service shows to the others.")
    service_tls_key: Path | None = setting(None, "PEM file of its key.")
    backup_fence: float = seconds(
        0.4,
        "How long one try of a backup may keep writers waiting before all are let in again; PostgreSQL looks for deadlocks "
        "after a second.",
        at_least=0.05,
        at_most=0.9,
    )
    backup_tries: int = setting(60, "Tries of a backup to fence the writers, before it gives up.", at_least=1, at_most=10_000)
    background: bool = setting(True, "Whether the loops that drive unfinished work run in this process.")
    drain_seconds: float | None = setting(
        None,
        "How long a server that is ended goes on serving while its health says NOT_SERVING, so that callers find other "
        "replicas first; 2 for a process of one service, 0 for one of all.",
        unit=SECONDS,
        at_least=0.0,
    )
    grace_seconds: float = seconds(10.0, "How long running calls may take to finish after that.")
    outside: OutsideLimits = OUTSIDE
    """What outside callers may have of the process at the same time."""
    connections: ConnectionLimits = CONNECTIONS
    """How long connections last, of outside callers and of services."""
    changes_pause: float = seconds(
        0.5,
        "Between two looks at a feed of changes that somebody watches, for what other processes have written. One look serves "
        "all who watch; what this process writes itself is looked for at once.",
        at_least=0.05,
        at_most=60.0,
    )
    key_poll: float = seconds(
        1.0,
        "Between two questions to the directory whether a key of tokens was withdrawn, or a role or anything else taken away "
        "by which tokens end.",
        at_least=0.1,
        at_most=4.0,
    )
    key_refresh: float = seconds(
        30.0, "How old the keys of tokens may become before all of them are fetched again.", at_least=1.0, at_most=3_600.0
    )
    metrics_bind: str = setting("", "Where Prometheus reads this process: host:port, or :port on the loopback; else nowhere.")
    metrics_pause: float = seconds(5.0, "Between two readings of the numbers that are kept in databases.", at_least=0.1)
    metrics_patience: float = seconds(
        5.0, "How long one service's reading may take; what cannot be read is left out.", at_least=0.1
    )
    otlp_endpoint: str = setting(
        "", "Where traces are sent: an OTLP receiver, such as http://127.0.0.1:4317; else nowhere.", shown=URL
    )

    @property
    def inner_bind(self) -> str:
        """Where services are served. Raises `BindError` when that is not known."""
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
    def hosted(self) -> tuple[str, ...]:
        """The contexts that this process serves."""
        return (self.only,) if self.only else CONTEXTS

    def tuning_of(self, context: str) -> Tuning:
        """How a context's service uses its database."""
        return build(ServiceSettings, {"tuning": self.tuning}, self.services.get(context, {})).tuning

    def settings_of(self, context: str, cls: type[S]) -> S:
        """The settings of a context's service, an object of its settings class."""
        url, schema = self.database(context)
        given = {**self.services.get(context, {}), "database_url": url, "database_schema": schema}
        return build(cls, {"tuning": self.tuning}, given)

    def database(self, context: str) -> tuple[str, str | None]:
        """URL and schema of a context's database."""
        given = self.services.get(context, {})
        url, schema = given.get("database_url") or self.database_url, given.get("database_schema") or f"waybill_{context}"
        if url:
            return str(url), None if str(url).startswith("sqlite") else str(schema)
        return f"sqlite:///{self.folder / f'{context}.sqlite3'}", None

    @property
    def folder(self) -> Path:
        """Where SQLite files and what else a process keeps are."""
        return self.data or default_data()

    @property
    def keeps_secret(self) -> bool:
        """Whether all that it hosts is on SQLite: on one machine, where the secret can be kept beside the files."""
        return all(parsed_url(self.database(context)[0]).get_backend_name() == "sqlite" for context in self.hosted)

    @property
    def keeps_sealing_key(self) -> bool:
        """Whether the user's configuration folder has the sealing key: one process serves all, and the directory is on SQLite."""
        return not self.only and parsed_url(self.database("directory")[0]).get_backend_name() == "sqlite"

    @property
    def has_key_pair(self) -> bool:
        """Whether the service has a pair of keys, and shares no secret."""
        return self.service_key is not None or self.service_public_keys is not None

    @property
    def key_pair(self) -> tuple[Path, Path]:
        """Where its private key is, and the public ones of all services. Raises `SecretError` for settings that do not fit."""
        if self.service_key is None or self.service_public_keys is None:
            raise SecretError("WAYBILL_SERVICE_KEY and WAYBILL_SERVICE_PUBLIC_KEYS belong together: one of them is missing")
        if self.service_secret:
            raise SecretError("WAYBILL_SERVICE_SECRET is given beside WAYBILL_SERVICE_KEY: one of them is to be taken away")
        if not self.only:
            raise SecretError("WAYBILL_SERVICE_KEY is for a process of one service (--only); one of all of them calls itself")
        return self.service_key, self.service_public_keys

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
        if self.has_key_pair:
            _ = self.key_pair
        elif not self.service_secret and not self.keeps_secret:
            why = "a database that other processes can use needs the secret that all of them share"
            raise SecretError(f"WAYBILL_SERVICE_SECRET is missing: {why}. {REMEDY}")


REMEDY = """Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"""


class BindError(StartupError):
    """No setting says where the process listens for services."""

    exit_code = 2
    reason = "ADDRESS_INVALID"


class SettingError(StartupError):
    """A variable of the environment says what its setting cannot be."""

    exit_code = 2
    reason = "SETTING_INVALID"


class SecretError(StartupError):
    """What calls between services are signed with is missing, or worth nothing."""

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
