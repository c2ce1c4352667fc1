"""Every service in processes of its own, any number of replicas each, on one PostgreSQL: to be killed and started again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from services.host.check import Report, check
from services.host.contexts import CONTEXTS
from services.host.sample.marketplace import set_up
from services.host.sample.parties import People, sign_in
from tests.support.ports import free_port
from tests.support.process import Process, started
from tests.support.rest import PATIENCE, at_rest
from tests.support.sealing import SEALING_KEY
from waybill.operations.v1 import outbox_service_pb2
from waybill_client import AsyncWaybill

SECRET = "a-secret-of-the-tests-shared-by-all-services"
_CLIENT_SECRET = re.compile(r"client secret\s+(\S+)")


@dataclass(slots=True)
class Member:
    """One process of the fleet: its place, and the process that fills it now."""

    context: str
    number: int
    port: int
    inner_port: int
    """Where it serves the other services."""
    log: Path
    process: Process | None = None
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while it is started: two who find it dead start it once."""

    @property
    def name(self) -> str:
        """Such as `order-1`."""
        return f"{self.context}-{self.number}"

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def inner_address(self) -> str:
        """Where it listens for services."""
        return f"127.0.0.1:{self.inner_port}"

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.returncode is None


@dataclass(slots=True)
class Fleet:
    """The processes of a marketplace."""

    url: str
    folder: Path
    members: list[Member]
    environment: dict[str, str] = field(default_factory=dict)
    """Of every process; `{context}` in a value is the name of its service."""
    routes: dict[str, str] = field(default_factory=dict)
    """Where callers look for services, if not at their own addresses: proxies, for instance."""
    inner_routes: dict[str, str] = field(default_factory=dict)
    """The same for services that look for each other."""
    client_secret: str = ""

    @property
    def addresses(self) -> dict[str, str]:
        """Every context with all of its replicas."""
        return self._places(lambda member: member.address)

    @property
    def entrances(self) -> dict[str, str]:
        """Where callers knock."""
        return {**self.addresses, **self.routes}

    @property
    def inner_entrances(self) -> dict[str, str]:
        """Where services knock at each other's."""
        return {**self._places(lambda member: member.inner_address), **self.inner_routes}

    def _places(self, place: Callable[[Member], str]) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for member in self.members:
            found.setdefault(member.context, []).append(place(member))
        return {context: ",".join(many) for context, many in found.items()}

    def of(self, context: str) -> list[Member]:
        """The replicas of a context."""
        return [m for m in self.members if m.context == context]

    async def start(self, member: Member) -> None:
        """Starts a process, unless it runs, and waits until it serves."""
        async with member.starting:
            if not member.alive:
                await self._start(member)

    async def _start(self, member: Member) -> None:
        arguments = ["serve", "--only", member.context]
        arguments += ["--bind", member.address, "--service-bind", member.inner_address, "--log-level", "WARNING"]
        environment = {**os.environ, "COLUMNS": "400", "WAYBILL_DATABASE_URL": self.url, "WAYBILL_SERVICE_SECRET": SECRET}
        environment["WAYBILL_SEALING_KEY"] = SEALING_KEY
        for context, address in self.inner_entrances.items():
            environment[f"WAYBILL_{context.upper()}_ADDRESS"] = address
        own = {name: value.replace("{context}", member.context) for name, value in self.environment.items()}
        with member.log.open("a") as log:
            member.process = await started(*arguments, environment=environment | own, output=log.fileno(), errors=log.fileno())
        await self._serves(member)

    async def _serves(self, member: Member) -> None:
        assert member.process is not None
        async with asyncio.timeout(60):
            while member.process.returncode is None:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", member.port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)
        raise RuntimeError(f"{member.name} ended: {member.log.read_text()[-3_000:]}")

    async def start_all(self) -> None:
        """Starts everything; the directory first, since it sets an empty marketplace up."""
        first, *others = self.members
        await self.start(first)
        async with asyncio.timeout(30):
            while (found := _CLIENT_SECRET.search(first.log.read_text())) is None:
                await asyncio.sleep(0.02)
        self.client_secret = found[1]
        for group in _pairs(others):
            await asyncio.gather(*(self.start(member) for member in group))

    async def stop(self, member: Member) -> int:
        """SIGTERM, and its exit code."""
        assert member.process is not None
        if member.process.returncode is None:
            member.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(member.process.wait(), 60)

    async def kill(self, member: Member) -> None:
        """SIGKILL."""
        assert member.process is not None
        if member.process.returncode is None:
            member.process.kill()
        await member.process.wait()

    async def revive(self) -> list[str]:
        """Starts again whatever has died; the names."""
        dead = [m for m in self.members if not m.alive]
        await asyncio.gather(*(self.start(m) for m in dead))
        return [m.name for m in dead]

    def client(self, client_id: str, client_secret: str = "", **options: str) -> AsyncWaybill:
        """A caller that knows every replica, or the proxies before them."""
        return AsyncWaybill("", client_id, client_secret, addresses=self.entrances, **options)

    def owner(self) -> AsyncWaybill:
        """The marketplace's owner."""
        return self.client("waybill-admin", self.client_secret)

    async def set_up(self) -> People:
        """Fills the marketplace of the demo, and signs everyone in."""
        owner = self.owner()
        await set_up(owner)
        return await sign_in("", owner, self.entrances)

    async def check(self) -> Report:
        """Every context's books, and the comparison between them."""
        async with self.owner() as owner:
            return await check(owner, list(self.addresses.values()))

    async def assert_consistent(self, patience: float = PATIENCE) -> Report:
        """Fails when an invariant is broken, an order is still in motion or a change parked, and that stays so although
        everything had time to come to rest. The last report."""
        return await at_rest(self.check, patience)

    async def delivered(self, patience: float = PATIENCE) -> None:
        """Once no service has a change left that another has not acknowledged."""
        async with self.owner() as owner, asyncio.timeout(patience):
            for member in (self.of(context)[0] for context in CONTEXTS):
                outbox = owner.at(member.address).outbox
                while (await outbox.ListOutboxEntries(outbox_service_pb2.ListOutboxEntriesRequest(page_size=1))).entries:
                    await asyncio.sleep(0.1)


def _pairs(members: Sequence[Member]) -> list[Sequence[Member]]:
    # More at once would only wait for the processor.
    return [members[i : i + 4] for i in range(0, len(members), 4)]


@asynccontextmanager
async def fleet(
    url: str,
    folder: Path,
    replicas: Mapping[str, int] | int = 1,
    environment: Mapping[str, str] | None = None,
    routes: Mapping[str, str] | None = None,
    inner_routes: Mapping[str, str] | None = None,
    prepare: Callable[[Fleet], None] | None = None,
) -> AsyncIterator[Fleet]:
    """Starts every service with its replicas, and ends them all with the block. `prepare` sees it before it starts."""
    count = dict.fromkeys(CONTEXTS, replicas) if isinstance(replicas, int) else replicas
    folder.mkdir(parents=True, exist_ok=True)
    members = [
        Member(context, number, free_port(), free_port(), folder / f"{context}-{number}.log")
        for context in CONTEXTS
        for number in range(count.get(context, 1))
    ]
    made = Fleet(url, folder, members, dict(environment or {}), dict(routes or {}), dict(inner_routes or {}))
    if prepare is not None:
        prepare(made)
    try:
        await made.start_all()
        yield made
    finally:
        for member in members:
            if member.alive:
                await made.kill(member)
