"""What a test has ordered in a marketplace that it shares: judged when the test ends, so that it fails and no later one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import sqlalchemy as sa

from libs.invariants import why
from services.host.check.rules import RULES, CrossRule
from services.host.check.subjects import Subject, subjects
from services.host.contexts import CONTEXTS
from services.order.adapters.db.tables import ORDERS
from tests.support.marketplace import Marketplace
from waybill.inspection.v1 import inspection_service_pb2 as pb
from waybill_client import AsyncWaybill

LOOKS = 20
PAUSE = 0.5
"""Seconds between two looks at what differs: contexts are not read at one instant."""
PART = 500
"""Orders that are asked about in one call."""


@asynccontextmanager
async def orders_judged(market: Marketplace) -> AsyncIterator[None]:
    """Fails after the block when contexts differ about an order that was made in it and no work under way is why."""
    before = await _keys(market)
    yield
    made = sorted(str(key) for key in await _keys(market) - before)
    found = await _differences(market.people.owner, made)
    for _ in range(LOOKS):
        if not found:
            return
        await asyncio.sleep(PAUSE)
        found = await _differences(market.people.owner, made)
    assert not found, found


async def _keys(market: Marketplace) -> set[uuid.UUID]:
    database = market.host.apps["order"].database
    assert database is not None
    async with database.reading() as reading:
        return set((await reading.execute(sa.select(ORDERS.c.key))).scalars())


async def _differences(owner: AsyncWaybill, keys: Sequence[str]) -> list[str]:
    found: list[str] = []
    for part in (keys[i : i + PART] for i in range(0, len(keys), PART)):
        async for subject in subjects({context: _facts(owner, context, part) for context in CONTEXTS}):
            for rule in RULES:
                if rule.concerns(subject) and not subject.under_way(rule.excuses):
                    found += [f"{subject.name} {rule.name}: {difference}" for difference in _of_rule(rule, subject)]
    return found


def _of_rule(rule: CrossRule, subject: Subject) -> list[str]:
    """What cannot be compared yet differs."""
    try:
        return list(rule.differences(subject))
    except Exception as error:
        return [f"cannot be compared: {why(error)}"]


async def _facts(owner: AsyncWaybill, context: str, keys: Sequence[str]) -> AsyncIterator[pb.Fact]:
    async for record in owner.inspection.Inspect(pb.InspectRequest(contexts=[context], order_keys=keys)):
        if record.WhichOneof("record") == "fact":
            yield record.fact
