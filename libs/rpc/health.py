"""The health service, with what stands behind it.

The whole server, named "", and each of its services are SERVING while the database behind them answers. Other services are
no part of that: a caller that is sent elsewhere would find the same ones away. How they are is shown as `dependency/<context>`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from libs.db import Database
from libs.obs import get_logger, metrics
from libs.rpc.health_limits import DEFAULT, HealthLimits
from libs.rpc.peers import Peers
from libs.service.app import ServiceApp

BUSY_LOOKS = 15
"""Looks in a row that find no free connection, after which the database counts as away."""
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_LOG = get_logger("health")


class DatabaseWatch:
    """Whether one database answers."""

    def __init__(self, database: Database, patience: float = DEFAULT.health_patience) -> None:
        self._database = database
        self._patience = patience
        self._busy = 0

    async def answers(self) -> bool:
        """Looks. A pool whose connections are all in use says nothing about the database, for a while."""
        full = all(used >= size for used, size in self._database.connections().values())
        try:
            async with asyncio.timeout(self._patience):
                await self._database.ping()
        except TimeoutError:
            self._busy = self._busy + 1 if full else BUSY_LOOKS
            return self._busy < BUSY_LOOKS
        except Exception:
            self._busy = BUSY_LOOKS
            return False
        self._busy = 0
        return True


class Health:
    """Keeps the states of one server."""

    def __init__(
        self,
        apps: Sequence[ServiceApp],
        shared: Sequence[str],
        peers: Peers | None = None,
        limits: HealthLimits = DEFAULT,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """`shared` are services that lean on every database. Nothing is SERVING before `ready` was true once."""
        self._limits = limits
        self._ready = ready
        self._opened = False
        self.servicer = health.aio.HealthServicer()
        self.names = [full for app in apps for _, _, full in app.registrations] + list(shared)
        self._apps = apps
        self._shared = ["", *shared]
        self._peers = peers
        self._databases = {
            app.name: DatabaseWatch(app.database, limits.health_patience) for app in apps if app.database is not None
        }
        self._known: dict[str, bool] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Everything serves, if it is ready; from now on it is looked at."""
        limits = self._limits
        for name in ("", *self.names):
            await self.servicer.set(name, NOT_SERVING)
        await self.open()
        self._tasks = [asyncio.create_task(_every(limits.health_pause, self.look))]
        if self._peers is not None:
            self._tasks.append(asyncio.create_task(_every(limits.health_dependency_pause, self.look_around)))

    async def open(self) -> bool:
        """Everything serves from the first time on that it is ready; returns whether that has been."""
        if not self._opened and self._ready():
            self._opened, self._known = True, dict.fromkeys(self._databases, True)
            for name in ("", *self.names):
                await self.servicer.set(name, SERVING)
        return self._opened

    async def leave(self) -> None:
        """NOT_SERVING, for good."""
        await self.servicer.enter_graceful_shutdown()

    async def end(self) -> None:
        """Looks no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def look(self) -> None:
        """Asks every database, and sets what changes."""
        if not await self.open():
            return
        found = await asyncio.gather(*(watch.answers() for watch in self._databases.values()))
        answers = dict(zip(self._databases, found, strict=True))
        for app in self._apps:
            if app.name in answers:
                metrics.DATABASE_UP.labels(app.name).set(answers[app.name])
                await self._turn(app.name, [full for _, _, full in app.registrations], answers[app.name])
        await self._turn("", self._shared, all(found))

    async def _turn(self, subject: str, names: Sequence[str], well: bool) -> None:
        if self._known.get(subject, True) != well and subject:
            (_LOG.info if well else _LOG.error)("database answers again" if well else "database is away", service=subject)
        if self._known.get(subject) != well:
            for name in names:
                await self.servicer.set(name, SERVING if well else NOT_SERVING)
        self._known[subject] = well

    async def look_around(self) -> None:
        """Asks every service that lives elsewhere."""
        assert self._peers is not None
        hosted = {app.name for app in self._apps}
        others = {context: address for context, address in self._peers.known().items() if context not in hosted}
        found = await asyncio.gather(*(self._serves(address) for address in others.values()))
        for context, well in zip(others, found, strict=True):
            metrics.DEPENDENCY_UP.labels(context).set(well)
            await self.servicer.set(f"dependency/{context}", SERVING if well else NOT_SERVING)

    async def _serves(self, address: str) -> bool:
        assert self._peers is not None
        try:
            stub = health_pb2_grpc.HealthStub(self._peers.channel(address))
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=self._limits.health_patience)
        except Exception:
            return False
        return bool(answer.status == SERVING)


async def _every(seconds: float, look: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await look()
        except Exception:
            _LOG.exception("health not known")
        await asyncio.sleep(seconds)
