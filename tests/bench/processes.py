"""The processes that are measured, and what they use."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil

from services.host.contexts import CONTEXTS
from tests.support.ports import free_address
from tests.support.sealing import SEALING_KEY

SECRET = "benchmark-secret-benchmark-secret"


@dataclass(slots=True)
class Fleet:
    """Processes of one layout; the first address is the caller's."""

    addresses: dict[str, str]
    processes: dict[str, psutil.Process]
    client_secret: str = ""

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, by process."""
        times = {name: p.cpu_times() for name, p in self.processes.items()}
        return {name: t.user + t.system for name, t in times.items()}

    def rss(self) -> dict[str, int]:
        """Resident bytes, by process."""
        return {name: p.memory_info().rss for name, p in self.processes.items()}


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "400", **environment})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _serve(bind: str, only: str = "", data: str = "") -> list[str]:
    command = [sys.executable, "-m", "services.host.cli", "serve", "--bind", bind, "--log-level", "ERROR"]
    return command + (["--only", only] if only else []) + (["--data", data] if data else [])


def _secret(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if "client secret" in line:
            return line.split()[-1]
    raise RuntimeError("the server printed no secret")


def _ready(address: str) -> None:
    channel = grpc.insecure_channel(address)
    grpc.channel_ready_future(channel).result(30)
    channel.close()


@contextmanager
def embedded() -> Iterator[Fleet]:
    """One process, SQLite."""
    with tempfile.TemporaryDirectory(prefix="waybill-bench-") as data:
        address = free_address()
        with _process(_serve(address, data=data), {}) as process:
            secret = _secret(process)
            _ready(address)
            yield Fleet(dict.fromkeys(CONTEXTS, address), {"waybill": psutil.Process(process.pid)}, secret)


@contextmanager
def distributed(url: str, replicas: int = 1) -> Iterator[Fleet]:
    """A process per service and replica, PostgreSQL."""
    places = {context: [free_address() for _ in range(replicas)] for context in CONTEXTS}
    addresses = {context: ",".join(many) for context, many in places.items()}
    inner = {address: free_address() for many in places.values() for address in many}
    environment = {f"WAYBILL_{c.upper()}_ADDRESS": ",".join(inner[a] for a in many) for c, many in places.items()}
    environment |= {"WAYBILL_DATABASE_URL": url, "WAYBILL_SERVICE_SECRET": SECRET, "WAYBILL_DRAIN_SECONDS": "0"}
    environment["WAYBILL_SEALING_KEY"] = SEALING_KEY
    secret = ""
    with ExitStack() as stack:
        processes = {}
        for context, many in places.items():
            for number, address in enumerate(many):
                process = stack.enter_context(
                    _process([*_serve(address, only=context), "--service-bind", inner[address]], environment)
                )
                if context == "directory" and number == 0:
                    secret = _secret(process)
                processes[context if number == 0 else f"{context}-{number}"] = psutil.Process(process.pid)
        for many in places.values():
            for address in many:
                _ready(address)
        yield Fleet(addresses, processes, secret)


@contextmanager
def floor(url: str, count: int) -> Iterator[Fleet]:
    """The floor in as many processes."""
    addresses = [free_address() for _ in range(count)]
    peers = ",".join(addresses[1:] or addresses)
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="waybill-floor-") as folder:
        processes = {}
        for i, address in enumerate(addresses):
            target = url or f"sqlite:{Path(folder) / 'floor.db'}"
            command = [sys.executable, "-m", "tests.bench.floor", address, target, peers]
            process = stack.enter_context(_process(command, {}))
            assert process.stdout is not None
            process.stdout.readline()
            processes[f"floor-{i}"] = psutil.Process(process.pid)
            time.sleep(0.1)
        yield Fleet({"floor": addresses[0]}, processes)
