"""How a simulation says that locations are chosen."""

from __future__ import annotations

import pytest

from libs.errors import Violations, WaybillError
from services.fulfillment.domain.sourcing.model import Strategy
from services.fulfillment.domain.sourcing.stages import NAMES
from services.order.domain.checkout.ranking import STAGES, STRATEGIES, check_ranking


def faults(strategy: str = "", *stages: str) -> list[tuple[str, str]]:
    found = Violations()
    check_ranking(found, strategy, stages)
    try:
        found.raise_if_any()
    except WaybillError as error:
        return [(one.field, one.reason) for one in error.fields]
    return []


def test_the_names_are_those_of_fulfillment() -> None:
    assert STAGES == NAMES
    assert set(STRATEGIES) == set(Strategy)


@pytest.mark.parametrize("stages", [(), STAGES, ("lowest_freight",)])
def test_stages_a_strategy_or_nothing_are_right(stages: tuple[str, ...]) -> None:
    assert faults("", *stages) == []
    assert [faults(strategy) for strategy in STRATEGIES] == [[], [], []]


def test_what_is_wrong_is_said_all_at_once() -> None:
    assert faults("nearest", "priority") == [("strategy", "FIELD_INVALID"), ("stages", "FIELD_INVALID")]
    assert faults("", "lowest_freight", "best", "best") == [
        ("stages", "FIELD_INVALID"),
        ("stages[1]", "FIELD_INVALID"),
        ("stages[2]", "FIELD_INVALID"),
        ("stages[2]", "DUPLICATE_ITEM"),
    ]
    assert faults("", *STAGES, "priority") == [("stages", "TOO_MANY_ITEMS"), ("stages", "FIELD_INVALID")]
