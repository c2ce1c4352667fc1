"""An approval rule as rounds ask it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """One that is active."""

    id: str
    group_id: str
    """The group of the buyer's users that decides."""
    expression: str
