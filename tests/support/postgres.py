"""A PostgreSQL for tests and benchmarks: the one that is named, a container, or a throw-away cluster."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support import engine
from tests.support.ports import free_port

URL_VARIABLE = "WAYBILL_TEST_POSTGRES_URL"
SOURCE_VARIABLE = "WAYBILL_TEST_POSTGRES_SOURCE"
"""`container` or `binaries` where only that will do."""
REMEDY = (
    f"no PostgreSQL for the tests: set {URL_VARIABLE}, start a Docker engine, or install the server binaries "
    "(apt-get install postgresql)"
)


_RECORD = "server.json"


class NoPostgresError(Exception):
    """None of the sources has one. The text names the remedies."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, and what ends it: a cluster's folder, a container's id, or nothing if it is not ours."""

    url: str
    source: str
    """Where it came from, for people."""
    folder: str = ""
    container: str = ""

    @property
    def ours(self) -> bool:
        """Whether `stop` ends it; another's keeps what is left in it."""
        return bool(self.folder or self.container)

    def stop(self) -> None:
        """Ends it, if it is ours, and removes what it left."""
        if self.container:
            engine.remove(self.container)
        if self.folder:
            root = Path(self.folder)
            subprocess.run([*_control(root), "-m", "immediate", "stop"], check=False, cwd=root, **_QUIET)
            shutil.rmtree(root, ignore_errors=True)


def start() -> Server:
    """A server from the first source that answers. Raises `NoPostgresError`."""
    named, only = os.environ.get(URL_VARIABLE), os.environ.get(SOURCE_VARIABLE)
    if named and not only:
        return Server(named.replace("postgresql+asyncpg:", "postgresql:", 1), f"the server that {URL_VARIABLE} names")
    made = engine.postgres_container() if only != "binaries" and engine.answers() else None
    if made is not None:
        return Server(made[0], f"a container of {engine.image()}", container=made[1])
    if only == "container":
        raise NoPostgresError(f"no container of {engine.image()} can be started: is there an engine, and the image?")
    if binaries() is None:
        raise NoPostgresError(REMEDY)
    return cluster(durable=False)


def available() -> bool:
    """Whether `start` has a source at all."""
    return bool(os.environ.get(URL_VARIABLE)) or binaries() is not None or engine.answers()


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server for the length of the block."""
    server = start()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def throwaway_cluster(durable: bool = False) -> Iterator[str]:
    """A cluster in a temporary folder. Commits are flushed to disk only when `durable`."""
    server = cluster(durable)
    try:
        yield server.url
    finally:
        server.stop()


def shared(folder: Path) -> str:
    """The URL of the one server of all processes that share `folder`; the first that asks starts it."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = shared_server(folder)
        if server is None:
            server = start()
            (folder / _RECORD).write_text(json.dumps(asdict(server)))
        return server.url


def shared_server(folder: Path) -> Server | None:
    """The server of `folder`; none when no test asked for one."""
    record = folder / _RECORD
    return Server(**json.loads(record.read_text())) if record.exists() else None


def stop_shared(folder: Path) -> None:
    """Ends the server of `folder`, if one was started, and removes the folder."""
    server = shared_server(folder)
    if server is not None:
        server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def binaries() -> Path | None:
    """The folder of the newest installed server binaries."""
    found = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if (p / "initdb").exists()]
    if found:
        return max(found, key=lambda p: int(p.parent.name))
    installed = shutil.which("initdb")
    return Path(installed).resolve().parent if installed else None


_QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def as_postgres() -> list[str]:
    """What a command line begins with that runs as the server's user."""
    # The server refuses to run as root.
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []


def _locale() -> list[str]:
    # A language's own order of texts, as most installations have it: nothing may lean on the order of bytes.
    help = subprocess.run([f"{binaries()}/initdb", "--help"], check=True, capture_output=True, text=True).stdout
    return ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"] if "--icu-locale" in help else []


def _control(root: Path) -> list[str]:
    return [*as_postgres(), f"{binaries()}/pg_ctl", "-D", str(root / "data"), "-w", "-l", str(root / "log")]


def cluster(durable: bool, initdb: Sequence[str] = (), options: Sequence[str] = ()) -> Server:
    """A new cluster, made with arguments of `initdb` and run with settings such as `work_mem=8MB`."""
    if binaries() is None:
        raise NoPostgresError(REMEDY)
    root = Path(tempfile.mkdtemp(prefix="waybill-pg-"))
    if as_postgres():
        shutil.chown(root, "postgres", "postgres")
    subprocess.run(
        [
            *as_postgres(),
            f"{binaries()}/initdb",
            "-D",
            str(root / "data"),
            "-U",
            "waybill",
            "-A",
            "trust",
            "-E",
            "UTF8",
            *_locale(),
            "--no-sync",
            "--no-instructions",
            *initdb,
        ],
        check=True,
        cwd=root,
        **_QUIET,
    )
    settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={root}", engine.CONNECTIONS, *options]
    port = free_port()
    command = " ".join(f"-c {setting}" for setting in [f"port={port}", *settings, *([] if durable else engine.FAST)])
    try:
        subprocess.run([*_control(root), "-o", command, "start"], check=True, cwd=root, **_QUIET)
    except subprocess.CalledProcessError as error:
        log = (root / "log").read_text() if (root / "log").exists() else ""
        shutil.rmtree(root, ignore_errors=True)
        raise RuntimeError(f"PostgreSQL did not start: {log[-2_000:]}") from error
    return Server(f"postgresql://waybill@127.0.0.1:{port}/postgres", f"installed binaries, {binaries()}", folder=str(root))
