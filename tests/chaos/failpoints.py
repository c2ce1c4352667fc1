"""Kills a process at every place where a scenario can be interrupted: enumerated, not sampled.

A scenario is run once to see which places it reaches. These must be those of the catalogue beside this file: a place that
is not in it, or one of it that is not reached, fails the run. Then the scenario is run again for every place; the
process that gets there first dies, is started again, the client repeats its call; and the books must be right.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from services.host.demo.cast import Cast
from tests.chaos.scenarios import Scenario
from tests.support.fleet import Fleet

CATALOGUE = Path(__file__).with_name("catalogue.json")
_BESIDE = re.compile(r"ExpireReservations|ExpireAttempts|\.run|CompleteSubmissions|SettleTransactions\.once|ResolveSubmission|"
                     r"Reporting\.relay_once|TokenService|GetKeySet|process")  # fmt: skip
"""Background work that may or may not fall into a scenario. Where it matters it has scenarios of its own."""
RECORDINGS = 3
"""On a busy machine a call may be repeated where a calm one does not; then the scenario is looked at again."""
Say = Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What an enumeration did."""

    survived: dict[str, int] = field(default_factory=dict)
    """Places by the service that died there."""
    failures: list[str] = field(default_factory=list)

    @property
    def points(self) -> int:
        """Places at which a process died and everything was right again."""
        return sum(self.survived.values())


class Folder:
    """The folder that the processes watch."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a watched process is started with."""
        return {"WAYBILL_FAILPOINTS_DIR": str(self.path)}

    def hits(self) -> list[str]:
        """Places reached since `clear`, each once, in order."""
        found = self.path / "hits"
        return list(dict.fromkeys(found.read_text().split("\n")[:-1])) if found.exists() else []

    def clear(self) -> None:
        """Forgets what was reached and disarms."""
        for name in ("hits", "armed", "fired"):
            (self.path / name).unlink(missing_ok=True)

    def arm(self, place: str) -> None:
        """The next process there dies."""
        self.clear()
        fresh = self.path / "arming"
        fresh.write_text(place)
        fresh.rename(self.path / "armed")

    @property
    def fired(self) -> bool:
        """Whether one has died."""
        return (self.path / "fired").exists()

    def without_idempotency(self) -> None:
        """Breaks the product on purpose."""
        (self.path / "no-idempotency").touch()


def places(hits: Iterable[str], background: str = "") -> list[str]:
    """The places of a scenario among those reached."""
    wanted = re.compile(background or r"\Znothing")
    return sorted({hit for hit in hits if wanted.search(hit) or not _BESIDE.search(hit)})


def catalogue() -> dict[str, list[str]]:
    """The places that every scenario must reach."""
    return dict(json.loads(CATALOGUE.read_text()))


def service_of(place: str) -> str:
    """The service that dies there."""
    return re.split(r"[.>]", place, maxsplit=1)[0]


class Enumeration:
    """Runs scenarios over a fleet."""

    def __init__(self, fleet: Fleet, folder: Folder, cast: Cast, say: Say) -> None:
        self._fleet = fleet
        self._folder = folder
        self._cast = cast
        self._say = say
        self._runs = 0

    async def record(self, scenario: Scenario) -> list[str]:
        """Which places the scenario reaches when nothing goes wrong."""
        tag = self._tag(scenario)
        await scenario.prepare(self._cast, tag)
        self._folder.clear()
        await self._act(scenario, tag)
        await scenario.verify(self._cast, tag)
        found = places(self._folder.hits(), scenario.background)
        self._folder.clear()
        return found

    async def run(self, scenario: Scenario, expected: list[str], outcome: Outcome) -> None:
        """Kills at every place of the scenario."""
        await self._fleet.assert_consistent()
        for _ in range(RECORDINGS):
            found = await self.record(scenario)
            if found == sorted(expected):
                break
        else:
            unhit, unknown = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
            outcome.failures.append(f"{scenario.name}: not reached {unhit}, not in the catalogue {unknown}")
        for place in found:
            try:
                await self._kill_at(scenario, place)
            except Exception as error:
                await self._fleet.revive()
                outcome.failures.append(f"{scenario.name} at {place}: {type(error).__name__}: {error}"[:1_500])
                self._say(f"  FAILED {scenario.name} at {place}: {error!r:.300}")
                continue
            service = service_of(place)
            outcome.survived[service] = outcome.survived.get(service, 0) + 1
            self._say(f"  survived {scenario.name} at {place}")

    async def _kill_at(self, scenario: Scenario, place: str) -> None:
        tag = self._tag(scenario)
        await scenario.prepare(self._cast, tag)
        self._folder.arm(place)
        nurse = asyncio.create_task(self._revive_when_fired())
        try:
            await self._act(scenario, tag)
            async with asyncio.timeout(60):
                await nurse
        except TimeoutError:
            raise AssertionError("nothing died: the place was not reached") from None
        finally:
            nurse.cancel()
            self._folder.clear()
        await scenario.verify(self._cast, tag)
        await self._fleet.assert_consistent()

    async def _act(self, scenario: Scenario, tag: str) -> None:
        if not scenario.down:
            await scenario.act(self._cast, tag)
            return
        # What the dead service misses reaches it from background work, which is what is watched then.
        down = self._fleet.of(scenario.down)
        for member in down:
            await self._fleet.kill(member)
        acting = asyncio.create_task(scenario.act(self._cast, tag))
        await asyncio.wait([acting], timeout=5)
        for member in down:
            if not member.alive:
                await self._fleet.start(member)
        await acting

    async def _revive_when_fired(self) -> None:
        while not self._folder.fired:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)
        while not await self._fleet.revive():
            await asyncio.sleep(0.05)

    def _tag(self, scenario: Scenario) -> str:
        self._runs += 1
        return f"{scenario.name}-{self._runs}"
