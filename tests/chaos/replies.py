"""Loses answers: every call of a scenario, between services and from its client, and every COMMIT, in every way.

What is called is taken from runs in which nothing goes wrong, and must be all that the catalogue of failpoints has of the
scenario, or more; then each call is struck once, in each way, and the scenario must come to the same end: the caller
repeats, and the books are right.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

from services.host.contexts import CONTEXTS
from services.host.sample.parties import People
from tests.chaos import redirects
from tests.chaos.failpoints import RECORDINGS, catalogue, service_of
from tests.chaos.proxy import Fault, Proxy, proxies
from tests.chaos.scenarios import Scenario
from tests.support.fleet import Fleet, fleet

_ASIDE = {"Check", "IssueToken", "GetKeySet", "ListRevocations", "Inspect", "GetOrder", "ListSupplierOrders"}
"""Reads, health, and what is called now and then only."""
_COMMIT = "COMMIT"
STRUCK_WITHIN = 30.0
"""Seconds from the end of a scenario until what is to be struck must have come."""


def called(places: Iterable[str]) -> set[tuple[str, str]]:
    """Contexts and methods that services call, by a scenario's places."""
    found = (re.fullmatch(r"\w+>(\w+)\.(\w+):before", place) for place in places)
    return {(match[1], match[2]) for match in found if match and match[2] not in _ASIDE}


def committed(places: Iterable[str]) -> Counter[str]:
    """How often each context commits at least."""
    return Counter(service_of(place) for place in places if ":commit:before" in place)


@dataclass(slots=True)
class Losses:
    """What a run did."""

    survived: dict[str, int] = field(default_factory=dict)
    """Answers lost, by fault."""
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Wire:
    """A fleet whose calls and databases are all behind proxies: one of each context for its clients and for services alike."""

    fleet: Fleet
    services: dict[str, Proxy]
    databases: dict[str, Proxy]

    def quiet(self) -> None:
        """Nothing is struck, and what was seen is forgotten."""
        for proxy in (*self.services.values(), *self.databases.values()):
            proxy.disarm()
            proxy.seen.clear()


@asynccontextmanager
async def wired(url: str, folder: Path) -> AsyncIterator[Wire]:
    """Starts it."""
    async with proxies(CONTEXTS) as services, proxies(CONTEXTS) as databases:
        parsed = make_url(url)
        for proxy in databases.values():
            proxy.upstream = parsed.port or 5432
        environment = {
            f"WAYBILL_{context.upper()}_DATABASE_URL": parsed.set(port=proxy.port).render_as_string(hide_password=False)
            for context, proxy in databases.items()
        }
        environment |= redirects.ENVIRONMENT
        routes = {context: f"127.0.0.1:{proxy.port}" for context, proxy in services.items()}
        inner = {context: f"127.0.0.1:{proxy.inner_port}" for context, proxy in services.items()}

        def connect(made: Fleet) -> None:
            for context, proxy in services.items():
                (member,) = made.of(context)
                proxy.upstream, proxy.inner_upstream = member.port, member.inner_port

        async with fleet(url, folder, 1, environment, routes, inner, connect) as running:
            yield Wire(running, services, databases)


class LoseReplies:
    """Runs scenarios over a wired fleet."""

    def __init__(self, wire: Wire, people: People, say: Callable[[str], None]) -> None:
        self._wire = wire
        self._people = people
        self._say = say
        self._runs = 0

    async def run(self, scenario: Scenario, losses: Losses) -> None:
        """Strikes every call and every COMMIT of the scenario."""
        calls, commits = await self._certain(scenario)
        places = catalogue()[scenario.name]
        missing = called(places) - set(calls)
        fewer = [
            f"{context} has {commits[context]} of {least} commits"
            for context, least in committed(places).items()
            if commits[context] < least
        ]
        if not places or missing or fewer:
            losses.failures.append(f"{scenario.name}: not called {sorted(missing)}; {', '.join(fewer)}")
        self._say(f"{scenario.name}: {len(calls)} calls, {sum(commits.values())} commits")
        for context, method in calls:
            for fault in Fault:
                await self._strike(scenario, self._wire.services[context], fault, f"{context}.{method}", losses)
        for context, count in commits.items():
            for number in range(count):
                for fault in Fault:
                    name = f"{context} {_COMMIT} {number + 1}"
                    await self._strike(scenario, self._wire.databases[context], fault, name, losses, number)

    async def _certain(self, scenario: Scenario) -> tuple[list[tuple[str, str]], Counter[str]]:
        """What each of several runs called, and how often each service committed in each."""
        calls, commits = await self._record(scenario)
        for _ in range(RECORDINGS - 1):
            others, fewer = await self._record(scenario)
            calls, commits = [call for call in calls if call in others], commits & fewer
        return calls, commits

    async def _record(self, scenario: Scenario) -> tuple[list[tuple[str, str]], Counter[str]]:
        tag = self._tag(scenario)
        await scenario.prepare(self._people, tag)
        await self._wire.fleet.assert_consistent()
        self._wire.quiet()
        await scenario.act(self._people, tag)
        await self._wire.fleet.delivered()
        calls = [
            (context, method)
            for context, proxy in self._wire.services.items()
            for method in dict.fromkeys(proxy.seen)
            if method not in _ASIDE
        ]
        commits = Counter({context: len(proxy.seen) for context, proxy in self._wire.databases.items() if proxy.seen})
        await scenario.verify(self._people, tag)
        return calls, commits

    async def _strike(self, scenario: Scenario, proxy: Proxy, fault: Fault, name: str, losses: Losses, skip: int = 0) -> None:
        tag = self._tag(scenario)
        try:
            await scenario.prepare(self._people, tag)
            self._wire.quiet()
            proxy.arm(fault, name.split()[1] if _COMMIT in name else name.partition(".")[2], skip)
            await scenario.act(self._people, tag)
            # What relays do comes a little later.
            async with asyncio.timeout(STRUCK_WITHIN):
                while not proxy.struck:
                    await asyncio.sleep(0.05)
            await scenario.verify(self._people, tag)
            await self._wire.fleet.assert_consistent()
        except Exception as error:
            losses.failures.append(f"{scenario.name}: {fault.value} {name}: {type(error).__name__}: {error}"[:1_500])
            self._say(f"  FAILED {fault.value} {name}: {error!r:.300}")
            return
        finally:
            proxy.disarm()
        losses.survived[fault.value] = losses.survived.get(fault.value, 0) + 1

    def _tag(self, scenario: Scenario) -> str:
        self._runs += 1
        return f"{scenario.name}-{self._runs}"
