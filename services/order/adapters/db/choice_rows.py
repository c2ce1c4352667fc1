"""What a line has chosen as JSON: compact lists, in the order of the fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from services.order.domain.choice import Choice, MarkUp


def choices_json(choices: Iterable[Choice]) -> list[list[Any]]:
    """What is stored."""
    return [
        [c.spec_id, c.name, c.option_id, c.option_name, c.value, _mark_up_json(c.mark_up), c.defines_variant] for c in choices
    ]


def choices_of(stored: Iterable[Sequence[Any]]) -> tuple[Choice, ...]:
    """What was stored. Whether a choice defines the variant was not kept once: such a one is renewed before it is priced anew."""
    return tuple(
        Choice(spec_id, name, option_id, option_name, value, _mark_up_of(mark_up), *defining)
        for spec_id, name, option_id, option_name, value, mark_up, *defining in stored
    )


def _mark_up_json(mark_up: MarkUp | None) -> list[Any] | None:
    return None if mark_up is None else [mark_up.type, dict(mark_up.amounts), str(mark_up.percentage)]


def _mark_up_of(stored: Sequence[Any] | None) -> MarkUp | None:
    if stored is None:
        return None
    type, amounts, percentage = stored
    return MarkUp(type, amounts, Decimal(percentage))
