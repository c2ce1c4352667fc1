"""Numbers of 64 bits."""

from __future__ import annotations

from libs.expr.faults import RunError

MAX_INT, MIN_INT = 2**63 - 1, -(2**63)


def whole(value: int) -> int:
    """A number, unless it is beyond 64 bits: then `RunError`."""
    if MIN_INT <= value <= MAX_INT:
        return value
    raise RunError("A number is beyond 64 bits.")
