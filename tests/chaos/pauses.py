"""Stops a process in the middle of its work for longer than anything it has taken is its own, and lets it go on.

By then a replica has done the work. What the one that wakes up still wants to do must have no second effect.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from libs.failpoints import numbered
from libs.relay.limits import DEFAULT as RELAY
from services.host.sample.parties import People
from services.order.application.limits import DEFAULT as COMPLETER
from services.order.application.limits import DEFAULT_ATTEMPTS as ATTEMPTS
from tests.chaos.failpoints import Folder, act
from tests.chaos.scenarios import SCENARIOS
from tests.support.fleet import Fleet, Member

PLACES = (
    ("submit", "order.submit.begun"),
    ("submit", "order.submit.tried"),
    ("submit", "order.SubmitOrder.decide:commit:before"),
    ("submit", "order.submit.decided"),
    ("submit", "order.submit.confirmed"),
    ("submit", "payment.authorize.answered"),
    ("submit", "fulfillment.ReserveStock.__call__:commit:before"),
    ("submit", "fulfillment.ConfirmReservation.__call__:commit:before"),
    ("cancel", "order>fulfillment.CancelOrder:before"),
    ("ship", "fulfillment>order.ReportFulfillment:before"),
)
"""Where somebody holds a row, or an answer that others wait for."""
LEASED = (
    ("late-gateway", "order.CompleteSubmissions.once:commit:after"),
    ("report-back", "fulfillment.Reporting._deliver:send:before"),
    ("attention", "payment.ReportAlerts._deliver:send:before"),
)
"""Where a loop has taken work under a lease. A replica must get to the same place before the sleeper wakes."""
LEASES = (RELAY.lease, COMPLETER.lease, ATTEMPTS.command)
PAUSE = max(LEASES).total_seconds() + 3.0
"""Seconds: longer than anything that is taken is its taker's."""


@dataclass(slots=True)
class Naps:
    """What a run did."""

    survived: int = 0
    failures: list[str] = field(default_factory=list)


class Pauses:
    """Runs scenarios over a fleet of replicas."""

    def __init__(self, fleet: Fleet, folder: Folder, people: People, say: Callable[[str], None]) -> None:
        self._fleet = fleet
        self._folder = folder
        self._people = people
        self._say = say

    async def run(self, naps: Naps) -> None:
        """One pause at every place."""
        for number, (name, place) in enumerate((*PLACES, *LEASED), start=1):
            scenario = SCENARIOS[name]
            tag = f"{name}-nap-{number}"
            try:
                await scenario.prepare(self._people, tag)
                await self._fleet.delivered()
                self._folder.arm(f"{place}=pause")
                acting = asyncio.create_task(act(self._fleet, scenario, self._people, tag))
                sleeper = await self._asleep()
                await asyncio.sleep(PAUSE)
                if (name, place) in LEASED:
                    await self._taken_over(place)
                self._wake(sleeper)
                await acting
                await scenario.verify(self._people, tag)
                await self._fleet.assert_consistent()
            except Exception as error:
                naps.failures.append(f"{name} at {place}: {type(error).__name__}: {error}"[:1_500])
                self._say(f"  FAILED {name} at {place}: {error!r:.300}")
            else:
                naps.survived += 1
                self._say(f"  survived {name} at {place}: {sleeper.name} slept {PAUSE:.0f} s")
            finally:
                self._folder.clear()
                for member in self._fleet.members:
                    self._wake(member)

    async def _taken_over(self, place: str) -> None:
        async with asyncio.timeout(60):
            while numbered(place, 2) not in self._folder.hits():
                await asyncio.sleep(0.05)

    async def _asleep(self) -> Member:
        async with asyncio.timeout(120):
            while True:
                for member in self._fleet.members:
                    if member.process is not None and _state(member.process.pid) == "T":
                        return member
                await asyncio.sleep(0.05)

    def _wake(self, member: Member) -> None:
        if member.process is not None and _state(member.process.pid) == "T":
            os.kill(member.process.pid, signal.SIGCONT)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return ""
