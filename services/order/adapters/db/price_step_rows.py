"""Steps of a price as JSON: the kind, both amounts, then the fields of the source in their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any

from services.order.domain.price_steps import ByHand, Exempted, FromSchedule, MarkedUp, PriceStep, Source

_SOURCES: dict[str, type[Source]] = {"schedule": FromSchedule, "mark_up": MarkedUp, "override": ByHand, "exemption": Exempted}
_KINDS = {source: kind for kind, source in _SOURCES.items()}


def price_steps_json(steps: Iterable[PriceStep]) -> list[list[Any]]:
    """What is stored."""
    return [[_KINDS[type(step.source)], step.unit, step.line, *astuple(step.source)] for step in steps]


def price_steps_of(stored: Iterable[Sequence[Any]]) -> tuple[PriceStep, ...]:
    """The steps that were stored. Raises KeyError for a kind that nobody knows."""
    return tuple(PriceStep(_SOURCES[kind](*fields), unit, line) for kind, unit, line, *fields in stored)
