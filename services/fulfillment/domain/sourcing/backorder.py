"""How far a record may be sold beyond its stock."""

from __future__ import annotations

MAX_BACKORDER = 1_000_000_000
"""Highest limit, in units."""


def allowed(can_exceed: bool, limit: int | None) -> int | None:
    """Units that may be sold beyond the stock in all; None for any number."""
    return limit if can_exceed else 0


def backorderable(available: int, excess: int | None) -> int | None:
    """Units that may be sold beyond what is available now; None for any number. Where fewer than none are available, some of the
    excess is sold."""
    return None if excess is None else max(0, excess + min(0, available))


def covers(excess: int | None, available: int) -> bool:
    """Whether so much excess allows what is promised already."""
    return excess is None or available + excess >= 0


def lowered(before: int | None, after: int | None) -> bool:
    """Whether less excess is allowed than before."""
    return after is not None and (before is None or after < before)
