"""The chaos runner: `python -m tests.chaos failpoints`."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import keys, redirects, steps
from tests.chaos.failpoints import CATALOGUE, Enumeration, Folder, Outcome, catalogue
from tests.chaos.history import Operation, judge, resolve
from tests.chaos.pauses import Naps, Pauses
from tests.chaos.replies import LoseReplies, Losses, wired
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.soak import CLIENTS, Client, Storm, nemesis
from tests.chaos.watching import Watcher, events_of
from tests.support import sealing
from tests.support.crashable import crashable_cluster
from tests.support.fleet import fleet
from tests.support.postgres import throwaway_cluster


def say(text: str) -> None:
    """One line, at once."""
    print(text, flush=True)  # noqa: T201


async def failpoints(names: list[str], record: bool, broken: bool) -> int:
    """Enumerates the places of scenarios, or records them."""
    began = time.monotonic()
    chosen = [SCENARIOS[name] for name in names or SCENARIOS]
    outcome = Outcome()
    with throwaway_cluster() as url, tempfile.TemporaryDirectory(prefix="waybill-chaos-") as name:
        redirects.provided(url)
        folder = Folder(Path(name) / "watched")
        async with fleet(url, Path(name) / "logs", environment=folder.environment) as running:
            people = await running.set_up()
            await steps.provide(people.owner, people.ada)
            if broken:
                folder.without_idempotency()
                say("idempotency is switched off: this run must fail")
            runner = Enumeration(running, folder, people, say)
            known = catalogue() if CATALOGUE.exists() else {}
            for scenario in chosen:
                if record:
                    known[scenario.name] = await runner.record(scenario)
                    say(f"{scenario.name}: {len(known[scenario.name])} places")
                else:
                    say(f"{scenario.name}: {len(known[scenario.name])} places")
                    await runner.run(scenario, known[scenario.name], outcome, first_failure_ends=broken)
                say(f"{scenario.name}: done after {time.monotonic() - began:.0f} s")
            await people.close()
    if record:
        CATALOGUE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        return 0
    for failure in outcome.failures:
        say(f"FAILED {failure}")
    services = "  ".join(f"{service} {count}" for service, count in sorted(outcome.survived.items()))
    expected = sum(len(known[scenario.name]) for scenario in chosen)
    say(
        f"{expected} places of {len(chosen)} scenarios in {len(outcome.survived)} services: {outcome.points} deaths survived, "
        f"{outcome.unhit} unhit, {len(outcome.failures)} failures"
    )
    say(f"by service: {services}; {time.monotonic() - began:.0f} s")
    return 1 if outcome.failures or outcome.points < expected else 0


async def replies(names: list[str]) -> int:
    """Loses answers."""
    began = time.monotonic()
    losses = Losses()
    with throwaway_cluster() as url, tempfile.TemporaryDirectory(prefix="waybill-chaos-") as name:
        redirects.provided(url)
        async with wired(url, Path(name)) as wire:
            people = await wire.fleet.set_up()
            await steps.provide(people.owner, people.ada)
            runner = LoseReplies(wire, people, say)
            for scenario in names or ["submit", "place", "cancel", "ship"]:
                await runner.run(SCENARIOS[scenario], losses)
            await people.close()
    for failure in losses.failures:
        say(f"FAILED {failure}")
    faults = "  ".join(f"{fault} {count}" for fault, count in sorted(losses.survived.items()))
    survived = sum(losses.survived.values())
    say(f"{survived} faults survived, {len(losses.failures)} failures")
    say(f"by fault: {faults}; {time.monotonic() - began:.0f} s")
    return 1 if losses.failures or not survived else 0


async def pauses() -> int:
    """Stops processes for longer than their leases."""
    naps = Naps()
    with throwaway_cluster() as url, tempfile.TemporaryDirectory(prefix="waybill-chaos-") as name:
        folder = Folder(Path(name) / "watched")
        async with fleet(url, Path(name) / "logs", replicas=2, environment=folder.environment) as running:
            people = await running.set_up()
            await steps.provide(people.owner, people.ada)
            await Pauses(running, folder, people, say).run(naps)
            await people.close()
    for failure in naps.failures:
        say(f"FAILED {failure}")
    say(f"{naps.survived} pauses survived, {len(naps.failures)} failures")
    return 1 if naps.failures or not naps.survived else 0


async def soak(seconds: float, seed: int) -> int:
    """Kills at random under load, then judges the history."""
    history: list[Operation] = []
    storm = Storm()
    say(f"seed {seed}")
    with crashable_cluster() as database, tempfile.TemporaryDirectory(prefix="waybill-soak-") as name:
        async with fleet(database.url, Path(name), replicas=2, environment=keys.ENVIRONMENT) as running:
            people = await running.set_up()
            await steps.provide(people.owner, people.ada, scarce=("tarp",))
            say(f"{len(running.members)} processes, {CLIENTS} clients, a watcher, {seconds:.0f} s")
            watcher = Watcher(people.ada)
            watching = asyncio.create_task(watcher.run())
            clients = [Client(number, people, seed, history, storm) for number in range(CLIENTS)]
            loads = [asyncio.create_task(client.run()) for client in clients]
            rotation = keys.Rotation(running)
            rotating = asyncio.create_task(rotation.run(after=seconds / 4))
            await nemesis(running, database, seconds, seed, storm)
            await asyncio.gather(*loads)
            rotation.over = True
            await rotating
            ended = await rotation.withdraw()
            await running.assert_consistent()
            torn = await resolve(people, history)
            report = await running.assert_consistent()
            verdict = await judge(people, history)
            verdict.torn += torn
            events = await events_of(people.ada, {op.order for op in history})
            await watcher.caught_up(events)
            watching.cancel()
            verdict.lost += watcher.missed(events)
            verdict.doubled += watcher.heard_wrongly()
            verdict.phantom += watcher.made_up(events)
            await people.close()
    kills = "  ".join(f"{name} {count}" for name, count in sorted(storm.kills.items()))
    say(f"{sum(storm.kills.values())} kills survived: {kills}")
    for kind, count in sorted(verdict.counts.items()):
        say(f"  {kind}: {count}")
    say(f"  events the watcher heard: {len(watcher.heard):,} of {len(events):,}")
    for word in ("lost", "doubled", "phantom", "torn"):
        found: list[str] = getattr(verdict, word)
        say(f"{len(found)} {word}")
        for one in found[:20]:
            say(f"  {one}")
    say(f"invariants {'OK' if report.ok else 'BROKEN'}: {report.rules} rules over {report.rows:,} rows")
    say(
        f"keys: rotated under load, {rotation.answers['OK']:,} calls of holders of {len(rotation.seen)} keys answered, "
        f"{len(rotation.refused)} refused; the former one withdrawn, no process took it after {ended:.1f} s"
    )
    for one in rotation.refused[:20]:
        say(f"  {one}")
    unturned = bool(rotation.refused) or len(rotation.seen) < 2 or ended > keys.WITHIN
    idle = [word for word, count in (("acknowledged", verdict.counts["place ok"]), ("killed", storm.processes)) if not count]
    if idle:
        say(f"FAILED: nothing was {' or '.join(idle)}, so nothing is shown")
    return 0 if verdict.ok and report.ok and not idle and not unturned else 1


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    commands = parser.add_subparsers(required=True, dest="command")
    points = commands.add_parser("failpoints", help="kill a process at every place of every scenario")
    points.add_argument("--scenario", action="append", default=[], choices=list(SCENARIOS))
    points.add_argument("--record", action="store_true", help="write the catalogue of places")
    points.add_argument("--broken", action="store_true", help="switch idempotency off, to see the run fail")
    lost = commands.add_parser("replies", help="lose the answer of every call and of every COMMIT")
    lost.add_argument("--scenario", action="append", default=[], choices=list(SCENARIOS))
    storm = commands.add_parser("soak", help="kill at random under load, judge the history")
    storm.add_argument("--seconds", type=float, default=60)
    storm.add_argument("--seed", type=int, default=None)
    commands.add_parser("pauses", help="stop processes for longer than their leases")
    given = parser.parse_args()
    sealing.begin()
    if given.command == "pauses":
        return asyncio.run(pauses())
    if given.command == "soak":
        return asyncio.run(soak(given.seconds, random.randrange(2**32) if given.seed is None else given.seed))
    if given.command == "replies":
        return asyncio.run(replies(given.scenario))
    return asyncio.run(failpoints(given.scenario, given.record, given.broken))


if __name__ == "__main__":
    sys.exit(main())
