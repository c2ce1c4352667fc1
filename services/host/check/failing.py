"""Work that fails again and again. It breaks no invariant while it lasts, but it does not end by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from libs.service.retries import STUCK


@dataclass(frozen=True, slots=True)
class Failing:
    """A row that background work has failed at STUCK times in a row, or more often."""

    context: str
    kind: str
    """As the context's facts call it."""
    order: str
    """Id of the buyer order that it belongs to, or its key when the order service does not know it."""
    failures: int
    failure: str
    """What it failed by at last: a reason, or the type of an exception that the service has logged."""

    @property
    def entry(self) -> str:
        """Its name."""
        return f"{self.context}/{self.kind} of order {self.order}"


def failing(order: str, facts: Mapping[tuple[str, str], Sequence[Mapping[str, str]]]) -> Iterator[Failing]:
    """What is stuck of one order."""
    for (context, kind), many in facts.items():
        for values in many:
            failures = int(values.get("failures", 0))
            if failures >= STUCK and values.get("finished", "0") == "0":
                yield Failing(context, kind, order, failures, values.get("failure", ""))
