"""A PostgreSQL for tests and benchmarks: the one that is named, a container, or a throw-away cluster."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

URL_VARIABLE = "WAYBILL_TEST_POSTGRES_URL"
REMEDY = (
    f"no PostgreSQL for the tests: set {URL_VARIABLE}, start a Docker engine, or install the server binaries "
    "(apt-get install postgresql)"
)


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server, from the first source that answers; one line with the remedies when none does."""
    named = os.environ.get(URL_VARIABLE)
    if named:
        yield named
        return
    if docker_answers():
        with container() as url:
            yield url
        return
    if binaries() is None:
        raise RuntimeError(REMEDY)
    with throwaway_cluster() as url:
        yield url


def docker_answers() -> bool:
    """Whether an engine is there and has, or can get, the image."""
    try:
        import docker

        client = docker.from_env(timeout=3)
        client.ping()
        return any("postgres" in tag for image in client.images.list() for tag in image.tags)
    except Exception:
        return False


@contextmanager
def container() -> Iterator[str]:
    """A server in a container."""
    import docker
    from testcontainers.postgres import PostgresContainer

    tags = [tag for image in docker.from_env().images.list() for tag in image.tags if "postgres" in tag]
    with PostgresContainer(tags[0], driver=None) as server:
        yield server.get_connection_url()


def binaries() -> Path | None:
    """The folder of the newest installed server binaries."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if found:
        return found[-1]
    installed = shutil.which("initdb")
    return Path(installed).parent if installed else None


@contextmanager
def throwaway_cluster(durable: bool = False) -> Iterator[str]:
    """A cluster in a temporary folder. Commits are flushed to disk only when `durable`."""
    folder = binaries()
    if folder is None:
        raise RuntimeError(REMEDY)
    root = Path(tempfile.mkdtemp(prefix="waybill-pg-"))
    data, port = root / "data", _free_port()
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    if as_postgres:
        shutil.chown(root, "postgres", "postgres")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": root}
    initdb = [*as_postgres, str(folder / "initdb"), "-D", str(data), "-U", "waybill", "-A", "trust", "-E", "UTF8",
              "--no-sync", "--no-instructions"]  # fmt: skip
    subprocess.run(initdb, check=True, **quiet)  # type: ignore[call-overload]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={root} -c max_connections=400"
    if not durable:
        options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    control = [*as_postgres, str(folder / "pg_ctl"), "-D", str(data), "-w", "-l", str(root / "log")]
    subprocess.run([*control, "-o", options, "start"], check=True, **quiet)  # type: ignore[call-overload]
    try:
        yield f"postgresql://waybill@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, **quiet)  # type: ignore[call-overload]
        shutil.rmtree(root, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
