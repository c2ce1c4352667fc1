"""Many people do everything to the same orders at once: no defect, no broken rule, nothing that nobody hears of."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.chaos import steps
from tests.chaos.brawl import Brawl
from tests.chaos.seeds import fresh_seed, report, rounds
from tests.chaos.watching import Watcher, events_of
from tests.support.marketplace import marketplace

ROUNDS = rounds("WAYBILL_CHAOS_BRAWLS", 6)
PEOPLE, ACTS = 8, 20


@pytest.mark.timeout(1_800)
async def test_whatever_many_do_to_the_same_orders_at_once_the_books_hold(tmp_path: Path, database_url: str) -> None:
    async with marketplace(tmp_path, database_url, rests=True) as market:
        people = market.people
        await steps.provide(people.owner, people.ada)
        watcher = Watcher(people.ada)
        watching = asyncio.create_task(watcher.run())
        brawl = Brawl(people, random.Random(fresh_seed("brawl")))
        orders: list[str] = []
        for number in range(ROUNDS):
            fresh = [f"x{number}-{n}" for n in range(3)]
            orders += fresh
            await brawl.fight(fresh, PEOPLE, ACTS)
        report("\n".join(f"{act} {result}: {count}" for (act, result), count in sorted(brawl.tried.items())))
        assert brawl.defects == []
        assert brawl.tried.total() == ROUNDS * PEOPLE * ACTS
        assert [act for act in ("place", "accept", "look") if not brawl.done(act)] == [], "nothing was done, so nothing is shown"
        await market.check()
        events = await events_of(people.ada, orders)
        await watcher.caught_up(events)
        watching.cancel()
        assert [*watcher.missed(events), *watcher.heard_wrongly(), *watcher.made_up(events)] == []
