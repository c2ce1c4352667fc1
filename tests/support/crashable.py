"""A PostgreSQL cluster that can be killed with SIGKILL and started again. Its commits are durable."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.support import postgres


@dataclass(frozen=True, slots=True)
class Crashable:
    """A running cluster."""

    url: str
    folder: Path

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def kill(self) -> None:
        """SIGKILL to the server and to every backend of it."""
        pid = int((self._data / "postmaster.pid").read_text().split("\n")[0])
        children = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        for one in (pid, *children):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        for one in (pid, *children):
            while Path(f"/proc/{one}").exists() and " Z " not in Path(f"/proc/{one}/stat").read_text():
                time.sleep(0.01)
        # Where nobody reaps the dead process its number still looks alive to the next one.
        for stale in (self._data / "postmaster.pid", *self.folder.glob(".s.PGSQL.*.lock")):
            stale.unlink(missing_ok=True)

    @property
    def runs(self) -> bool:
        """Whether the server has not ended. One that ends by itself takes its pid file with it."""
        return (self._data / "postmaster.pid").exists()

    def start(self) -> None:
        """Starts it as it was started before; returns when it answers."""
        program, *arguments = shlex.split((self._data / "postmaster.opts").read_text())
        with (self.folder / "log").open("a") as log:
            subprocess.Popen(
                [*postgres.as_postgres(), program, *arguments], stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        until = time.monotonic() + 60
        url = make_url(self.url)
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", url.port or 5432), 1):
                return
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start again: {(self.folder / 'log').read_text()[-2_000:]}")


@contextmanager
def crashable_cluster(initdb: Sequence[str] = (), options: Sequence[str] = ()) -> Iterator[Crashable]:
    """Starts one, made with arguments of `initdb` and run with settings such as `work_mem=8MB`; ends it with the block."""
    server = postgres.cluster(durable=True, initdb=initdb, options=options)
    made = Crashable(server.url, Path(server.folder))
    try:
        yield made
    finally:
        server.stop()
