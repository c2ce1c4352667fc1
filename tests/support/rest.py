"""When a marketplace has come to rest: every invariant holds, nothing is in motion or under way, and no change waits for an
operator. That contexts do not differ is not enough: a submit that is decided differs in nothing before it is confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from services.host.check import Report
from services.host.check.subjects import UNREPORTED, in_words

PATIENCE = 150.0
"""Seconds that everything has for it: an attempt's deadline, what its reservations have beyond, and some more."""


async def at_rest(look: Callable[[], Awaitable[Report]], patience: float = PATIENCE) -> Report:
    """Looks until all is at rest; the report that says so. Fails when it never does."""
    until = asyncio.get_running_loop().time() + patience
    while True:
        report = await look()
        found = unrest(report)
        if not found:
            return report
        assert asyncio.get_running_loop().time() < until, found
        await asyncio.sleep(0.5)


def unrest(report: Report) -> list[str]:
    """What keeps a report from being that of a marketplace at rest."""
    # A report that is sent again although it is known is no unrest; one that is news makes contexts differ.
    under_way = {kind: count for kind, count in report.under_way.items() if kind != UNREPORTED}
    return [
        *broken(report),
        *(f"in motion: {order}" for order in report.in_motion),
        *([f"under way: {in_words(under_way)}"] if under_way else []),
        *(f"parked: {waiting.entry}: {waiting.error}" for waiting in report.parked),
    ]


def broken(report: Report) -> list[str]:
    """Invariants that do not hold."""
    return [f"{f.context} {f.rule} {f.subject}: {f.detail}" for f in report.findings]
