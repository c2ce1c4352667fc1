"""Ship estimates of a whole order: items into groups, groups to methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.shipping.domain.grouping import Group, Item, Rule, group_items
from services.shipping.domain.methods import Offer, Offers, ShipMethod
from services.shipping.domain.zones import Destination
from waybill.shipping.v1 import reasons


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies to a buyer who orders through a channel."""

    methods: tuple[ShipMethod, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A group with what carries it, best first."""

    group: Group
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be shipped."""

    line_item_id: str
    reason: reasons.ReasonName
    description: str


def estimate(
    items: Iterable[Item], ordered_to: Destination | None, currency: str, terms: Terms
) -> tuple[list[Estimate], list[Problem]]:
    """One estimate per group and one problem per line and reason; nothing is left out of the estimates."""
    offers = Offers(terms.methods, currency, ordered_to)
    estimates = [Estimate(group, offers.of(group)) for group in group_items(items, terms.rules)]
    return estimates, _problems(estimates)


def _problems(estimates: Sequence[Estimate]) -> list[Problem]:
    problems: dict[tuple[str, reasons.ReasonName], Problem] = {}
    for found in estimates:
        if found.offers:
            continue
        if found.group.destination is None and not found.group.pickup:
            reason, text = reasons.SHIP_TO_MISSING, "it is not said where to ship it"
        else:
            reason, text = reasons.NO_SHIP_METHOD, "no ship method serves it"
        for line, _ in found.group.lines:
            problems.setdefault((line, reason), Problem(line, reason, text))
    return list(problems.values())
