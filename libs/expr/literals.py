"""Texts that stand for amounts, rates, times and durations; they are read when an expression is saved."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from libs.expr.types import SECOND
from libs.money import parse_micros

_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_RATE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})")
_DURATION = re.compile(r"-?(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:h|ms|m|s|us|ns))+")
_PIECE = re.compile(r"([0-9.]+)(h|ms|m|s|us|ns)")
LONGEST = 315_576_000_000 * SECOND
"""10,000 years, the longest duration."""
_UNITS = {"h": 3600 * SECOND, "m": 60 * SECOND, "s": SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}


def amount(text: str) -> int | None:
    """The micros of `12.50`; None where it is no amount."""
    return parse_micros(text) if _AMOUNT.fullmatch(text) else None


def rate(text: str) -> Decimal | None:
    """The hundredth part of `12.5`: 0 to 9999.999999 per cent; None where it is no rate."""
    return Decimal(text).scaleb(-2) if _RATE.fullmatch(text) else None


def time(text: str) -> int | None:
    """The nanoseconds since 1970 of `2026-06-15T00:00:00Z`; None where it is no time of RFC 3339."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        at = datetime.fromisoformat(found.group(1) + found.group(3).replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    seconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return seconds * SECOND + int((found.group(2) or "").ljust(9, "0"))


def duration(text: str) -> int | None:
    """The nanoseconds of `1h30m`, made of h, m, s, ms, us and ns; None where it is no duration, or a longer one than there is."""
    if not _DURATION.fullmatch(text):
        return None
    total = sum(int(Decimal(number) * _UNITS[unit]) for number, unit in _PIECE.findall(text))
    if total > LONGEST:
        return None
    return -total if text.startswith("-") else total
