"""How a channel wants orders handled."""

from __future__ import annotations

from typing import Any

from libs.errors import Violations

COVERAGES = frozenset({0, 1, 2})
"""Unspecified is taken as TOTAL."""
STRATEGIES = frozenset({"", "default_supplier", "priority", "fewest_parcels"})


def check(found: Violations, where: str, policy: Any) -> None:
    """Notes values that no order service would understand."""
    found.require(
        f"{where}.payment_coverage", policy.payment_coverage in COVERAGES, "FIELD_INVALID", "is no known payment coverage"
    )
    found.require(
        f"{where}.sourcing_strategy",
        policy.sourcing_strategy in STRATEGIES,
        "FIELD_INVALID",
        "must be default_supplier, priority or fewest_parcels",
    )
