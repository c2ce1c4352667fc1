"""How a channel wants orders handled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libs.errors import Violations
from waybill.directory.v1 import reasons

FORWARDS = frozenset({0, 1, 2, 3})
"""Unspecified is taken as NONE."""
COVERAGES = frozenset({0, 1, 2, 3, 4})
"""Unspecified is taken as TOTAL."""
CAPTURES = frozenset({0, 1, 2})
"""Unspecified is taken as MANUAL."""
STRATEGIES = frozenset({"", "default_supplier", "priority", "fewest_parcels"})
STAGES = ("restricted", "default_supplier", "priority", "fewest_parcels", "lowest_freight")
"""What the fulfillment service knows to choose locations by; the last one compares what the others make, so it stands last."""
MOST_STAGES = 8
PAYMENT_TYPES = ("credit_card", "spending_account", "purchase_order")
"""Those that are built in. None named is taken as those of them that hold money."""
MAX_PAYMENT_TYPES = 50

ESTIMATE_VALID = 24 * 60 * 60
"""Seconds that freight prices are kept where a channel says nothing."""
LONGEST_VALID = 365 * 24 * 60 * 60
SHORTEST_ANSWER = 60
"""Seconds that a supplier has to answer, at least; as many as an estimate is valid at most."""


@dataclass(frozen=True, slots=True)
class StatedPolicy:
    """What a caller states of a policy, before anything is certain of it. Enums are their numbers."""

    auto_forward: int
    payment_coverage: int
    sourcing_strategy: str
    estimate_valid: tuple[int, int] | None
    """Seconds and nanoseconds; None where it is not given."""
    payment_types: Sequence[str] = ()
    accept_within: tuple[int, int] | None = None
    """As `estimate_valid`."""
    capture: int = 0
    sourcing_stages: Sequence[str] = ()


def check(found: Violations, where: str, policy: StatedPolicy) -> None:
    """Notes values that no order service would understand."""
    found.require(
        f"{where}.auto_forward", policy.auto_forward in FORWARDS, reasons.FIELD_INVALID, "must be NONE, ALL or BY_PRODUCT"
    )
    found.require(
        f"{where}.payment_coverage", policy.payment_coverage in COVERAGES, reasons.FIELD_INVALID, "is no known payment coverage"
    )
    found.require(f"{where}.capture", policy.capture in CAPTURES, reasons.FIELD_INVALID, "must be MANUAL or ON_SHIPMENT")
    found.require(
        f"{where}.sourcing_strategy",
        policy.sourcing_strategy in STRATEGIES,
        reasons.FIELD_INVALID,
        "must be default_supplier, priority or fewest_parcels",
    )
    if policy.estimate_valid is not None:
        seconds, nanos = policy.estimate_valid
        found.require(
            f"{where}.estimate_valid",
            nanos == 0 and 1 <= seconds <= LONGEST_VALID,
            reasons.VALUE_OUT_OF_RANGE,
            "must be whole seconds, one second to 365 days",
        )
    if policy.accept_within is not None:
        seconds, nanos = policy.accept_within
        found.require(
            f"{where}.accept_within",
            nanos == 0 and SHORTEST_ANSWER <= seconds <= LONGEST_VALID,
            reasons.VALUE_OUT_OF_RANGE,
            "must be whole seconds, one minute to 365 days",
        )
    # Whether the marketplace declares a type that is not built in, the payment service judges, when somebody pays with it.
    _check_names(found, f"{where}.payment_types", policy.payment_types, MAX_PAYMENT_TYPES)
    _check_names(found, f"{where}.sourcing_stages", policy.sourcing_stages, MOST_STAGES, STAGES)
    if STAGES[-1] in policy.sourcing_stages[:-1]:
        found.add(f"{where}.sourcing_stages", reasons.FIELD_INVALID, f"{STAGES[-1]} must be the last")
    if policy.sourcing_stages and policy.sourcing_strategy:
        found.add(f"{where}.sourcing_stages", reasons.FIELD_INVALID, "must be empty where there is a sourcing_strategy")


def _check_names(found: Violations, where: str, names: Sequence[str], most: int, known: Sequence[str] = ()) -> None:
    """Whether there are few, none of them twice, and each is known, or formed as an id where others know them."""
    if len(names) > most:
        found.add(where, reasons.TOO_MANY_ITEMS, f"at most {most}")
    for i, name in enumerate(names[:most]):
        at = f"{where}[{i}]"
        if known:
            found.require(at, name in known, reasons.FIELD_INVALID, f"must be one of {', '.join(known)}")
        else:
            found.check_id(at, name)
        found.require(at, name not in names[:i], reasons.DUPLICATE_ITEM, f"{name[:100]} stands twice")
