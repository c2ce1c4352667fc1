"""How many attacks of each kind were tried; every one of a test that passes was held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

PROPERTY = "attacks"


class Tally:
    """Counts what a test tries, by kind."""

    def __init__(self, record: pytest.FixtureRequest) -> None:
        self._item = record.node

    def count(self, kind: str, tried: int) -> None:
        """So many of a kind were tried and held."""
        assert tried > 0, f"no attack of the kind {kind!r} was tried"
        self._item.user_properties.append((PROPERTY, (kind, tried)))


def summed(reports: Iterable[pytest.TestReport]) -> Counter[str]:
    """Of all tests, by kind."""
    found: Counter[str] = Counter()
    for report in reports:
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, tuple | list):
                kind, tried = value
                found[kind] += tried
    return found
