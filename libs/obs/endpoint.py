"""Where Prometheus reads a process: its own counters at once, its databases' numbers as they were a few seconds ago."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from libs.obs import metrics
from libs.obs.logging import get_logger
from libs.obs.metrics import Reading

if TYPE_CHECKING:
    from libs.service.app import ServiceApp

_LOG = get_logger("metrics")


def address(bind: str) -> tuple[str, int]:
    """Host and port of `host:port`, `:port` or `port`; the host is the loopback unless it is named."""
    host, _, port = bind.rpartition(":")
    if not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"a metrics address is host:port, not {bind!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


class ServiceCollector(Collector):
    """The numbers of the services of one process."""

    def __init__(self, apps: Sequence[ServiceApp], patience: float) -> None:
        """`patience`: seconds that a reading may take. What cannot be read is left out: no number is better than an old one."""
        self._apps = apps
        self._patience = patience
        self._readings: dict[str, Sequence[Reading]] = {}

    async def read(self) -> None:
        """Reads the gauges of every service."""
        for app in self._apps:
            if app.gauges is None:
                continue
            try:
                async with asyncio.timeout(self._patience):
                    self._readings[app.name] = await app.gauges()
            except Exception as error:
                self._readings.pop(app.name, None)
                _LOG.warning("gauges not read", service=app.name, error=type(error).__name__)

    def collect(self) -> Iterable[Metric]:
        """What is exposed now; called in a thread of its own."""
        name, meaning, labels = metrics.STATEMENTS
        statements = CounterMetricFamily(name, meaning, labels=labels)
        readings = [reading for some in list(self._readings.values()) for reading in some]
        for app in self._apps:
            statements.add_metric((app.name,), app.statements())
            if app.database is not None:
                for pool, (used, size) in app.database.connections().items():
                    readings.append(metrics.CONNECTIONS.at(size, app.name, pool))
                    readings.append(metrics.CONNECTIONS_USED.at(used, app.name, pool))
        return [statements, *metrics.families(readings)]


class _Everything(Collector):
    def __init__(self, services: ServiceCollector) -> None:
        self._services = services

    def collect(self) -> Iterable[Metric]:
        yield from metrics.REGISTRY.collect()
        yield from self._services.collect()


@asynccontextmanager
async def metrics_endpoint(bind: str, apps: Sequence[ServiceApp], pause: float, patience: float) -> AsyncIterator[str]:
    """Serves `/metrics` for the length of the block; yields its address. Raises OSError when the port is taken.

    `pause`: seconds between two readings of the gauges, each of which may take `patience`.
    """
    services = ServiceCollector(apps, patience)
    registry = CollectorRegistry()
    registry.register(_Everything(services))
    await services.read()
    host, port = address(bind)
    server, thread = start_http_server(port, host, registry)
    refresh = asyncio.create_task(_refresh(services, pause))
    try:
        yield f"{host}:{server.server_port}"
    finally:
        refresh.cancel()
        with suppress(asyncio.CancelledError):
            await refresh
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()


async def _refresh(services: ServiceCollector, pause: float) -> None:
    while True:
        await asyncio.sleep(pause)
        await services.read()
