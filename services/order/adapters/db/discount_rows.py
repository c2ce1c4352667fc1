"""Discounts as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, assert_never

from services.order.domain.discounts import Discount, Override, Promoted, Source

_SOURCES: Mapping[str, type[Source]] = {"override": Override, "promotion": Promoted}
_KINDS = {source: kind for kind, source in _SOURCES.items()}


def discounts_json(discounts: Iterable[Discount]) -> list[list[Any]]:
    """Each as the kind of its source and its amount; what there is to say of a source stands behind."""
    return [[_KINDS[type(d.source)], d.amount, *_said(d.source)] for d in discounts]


def discounts_of(stored: Iterable[Sequence[Any]]) -> tuple[Discount, ...]:
    """The discounts that were stored. Raises KeyError for a kind that nobody knows."""
    return tuple(Discount(_SOURCES[kind](*said), amount) for kind, amount, *said in stored)


def _said(source: Source) -> Sequence[str]:
    match source:
        case Override():
            return ()
        case Promoted(promotion_id, code):
            return promotion_id, code
        case _ as unreachable:
            assert_never(unreachable)
