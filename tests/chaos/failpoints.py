"""Kills a process at every place where a scenario can be interrupted: enumerated, not sampled.

A scenario is run once to see which places it reaches. These must be those of the catalogue beside this file: a place that
is not in it, or one of it that is not reached, fails the run. Then the scenario is run again for every place; the
process that gets there dies, is started again, the client repeats its call; and the books must be right.

A place that is reached several times stands in the catalogue as often: `name`, `name#2`, ... What is certain counts: the
catalogue holds what each of several recordings reached, and only what each of them reached beyond it is missing from it.
Work of background loops, which may look once more on a busy machine, is killed the first time only.

After a change of what is committed or called, `python -m tests.chaos failpoints --record` writes the catalogue anew;
`--scenario` does so for some of it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from libs.failpoints import numbered
from services.host.sample.parties import People
from tests.chaos import redirects
from tests.chaos.scenarios import Scenario
from tests.support.fleet import Fleet

CATALOGUE = Path(__file__).with_name("catalogue.json")
_BESIDE = re.compile(
    r"ExpireReservations|ExpireAttempts|CompleteSubmissions|SettleTransactions\.once|ResolveSubmission|"
    r"FinishDeletions|BatchDeletePayments|Reporting\.(relay_once|_deliver)|ReportAlerts|RenewAuthorizations|TokenService|GetKeySet|RevocationService|ListRevocations|\Aprocess:"
)
"""Background work that may or may not fall into a scenario. Where it matters it has scenarios of its own.

A relay takes its rows (`relay_once`) whether or not there are any; `_deliver:send:before` comes when it has taken some.
"""
_TWINS = re.compile(r"order\.submit\.(begun|decided)|payment\.authorize\.begun")
"""Named points that stand right after a commit: to die there is to die at the automatic point after it."""
RECORDINGS = 3
"""On a busy machine a call may be repeated where a calm one does not; then the scenario is looked at again."""
Say = Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What an enumeration did."""

    survived: dict[str, int] = field(default_factory=dict)
    """Places by the service that died there."""
    unhit: int = 0
    """Places of the catalogue that were not reached."""
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
        """What a watched process is started with: deletions are finished at once, so that this is interrupted too."""
        return {"WAYBILL_FAILPOINTS_DIR": str(self.path), "WAYBILL_ORDER_SWEEP_PAUSE": "0.5", **redirects.ENVIRONMENT}

    def hits(self) -> list[str]:
        """Places reached since `clear`, in order, each with the time that it was reached."""
        found = self.path / "hits"
        names = found.read_text().split("\n")[:-1] if found.exists() else []
        return [numbered(name, names[: n + 1].count(name)) for n, name in enumerate(names)]

    def clear(self) -> None:
        """Forgets what was reached and disarms."""
        for name in ("hits", "armed", "fired"):
            (self.path / name).unlink(missing_ok=True)

    def arm(self, place: str) -> None:
        """The process that gets there dies."""
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


def places(hits: Iterable[str], background: str = "", beside: str = "") -> set[str]:
    """The places of a scenario among those reached."""
    wanted, aside = (re.compile(pattern or r"\Znothing") for pattern in (background, beside))

    def counts(hit: str) -> bool:
        if _TWINS.search(hit) or aside.search(hit):
            return False
        return "#" not in hit if wanted.search(hit) else not _BESIDE.search(hit)

    return {hit for hit in hits if counts(hit)}


def catalogue() -> dict[str, list[str]]:
    """The places that every scenario must reach."""
    return dict(json.loads(CATALOGUE.read_text()))


def service_of(place: str) -> str:
    """The service that dies there."""
    return re.split(r"[.>]", place, maxsplit=1)[0]


async def act(fleet: Fleet, scenario: Scenario, people: People, tag: str) -> None:
    """What is interrupted, with or without the service that is to miss it."""
    if not scenario.down:
        await scenario.act(people, tag)
        return
    # What the dead service misses reaches it from background work, which is what is watched then.
    down = fleet.of(scenario.down)
    for member in down:
        await fleet.kill(member)
    acting = asyncio.create_task(scenario.act(people, tag))
    await asyncio.wait([acting], timeout=5)
    for member in down:
        if not member.alive:
            await fleet.start(member)
    await acting


class Enumeration:
    """Runs scenarios over a fleet."""

    def __init__(self, fleet: Fleet, folder: Folder, people: People, say: Say) -> None:
        self._fleet = fleet
        self._folder = folder
        self._people = people
        self._say = say
        self._runs = 0

    async def record(self, scenario: Scenario) -> list[str]:
        """The places that the scenario is certain to reach when nothing goes wrong."""
        return sorted(set.intersection(*[await self._reached(scenario) for _ in range(RECORDINGS)]))

    async def _reached(self, scenario: Scenario) -> set[str]:
        tag = self._tag(scenario)
        await self._prepare(scenario, tag)
        self._folder.clear()
        await act(self._fleet, scenario, self._people, tag)
        await scenario.verify(self._people, tag)
        await self._fleet.delivered()
        found = places(self._folder.hits(), scenario.background, scenario.beside)
        self._folder.clear()
        return found

    async def _prepare(self, scenario: Scenario, tag: str) -> None:
        """What it leads to is over before the scenario begins."""
        await scenario.prepare(self._people, tag)
        await self._fleet.delivered()

    async def run(self, scenario: Scenario, expected: list[str], outcome: Outcome, first_failure_ends: bool = False) -> None:
        """Kills at every place of the scenario."""
        await self._fleet.assert_consistent()
        unhit, unknown = await self._compare(scenario, set(expected))
        if unhit or unknown:
            outcome.unhit += len(unhit)
            outcome.failures.append(f"{scenario.name}: not reached {sorted(unhit)}, not in the catalogue {sorted(unknown)}")
        for number, place in enumerate(sorted(({*expected} | unknown) - unhit), start=1):
            try:
                await self._kill_at(scenario, place)
            except Exception as error:
                await self._fleet.revive()
                outcome.failures.append(f"{scenario.name} at {place}: {type(error).__name__}: {error}"[:1_500])
                self._say(f"  FAILED {scenario.name} at {place}: {error!r:.300}")
                if first_failure_ends:
                    return
                continue
            service = service_of(place)
            outcome.survived[service] = outcome.survived.get(service, 0) + 1
            self._say(f"  {number}/{len(expected)} survived {scenario.name} at {place}")

    async def _compare(self, scenario: Scenario, expected: set[str]) -> tuple[set[str], set[str]]:
        """What no recording reached of what is expected, and what each of them reached beyond it."""
        unhit, unknown = expected, set[str]()
        for number in range(RECORDINGS):
            found = await self._reached(scenario)
            # How often a loop looks is nobody's promise.
            beyond = {place for place in found - expected if not (scenario.background and "#" in place)}
            unhit, unknown = unhit - found, beyond if number == 0 else unknown & beyond
            if not unhit and not unknown:
                break
        return unhit, unknown

    async def _kill_at(self, scenario: Scenario, place: str) -> None:
        tag = self._tag(scenario)
        await self._prepare(scenario, tag)
        self._folder.arm(place)
        nurse = asyncio.create_task(self._revive_when_fired())
        try:
            await act(self._fleet, scenario, self._people, tag)
            async with asyncio.timeout(60):
                await nurse
        except TimeoutError:
            raise AssertionError("nothing died: the place was not reached") from None
        finally:
            nurse.cancel()
            self._folder.clear()
        await scenario.verify(self._people, tag)
        await self._fleet.assert_consistent()

    async def _revive_when_fired(self) -> None:
        while not self._folder.fired:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)
        while not await self._fleet.revive():
            await asyncio.sleep(0.05)

    def _tag(self, scenario: Scenario) -> str:
        self._runs += 1
        return f"{scenario.name}-{self._runs}"
