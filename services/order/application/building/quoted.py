"""What a change of lines answers, the first time and when its request is repeated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.order.application.records import Outcome
from services.order.domain.checkout.quotes import Quote
from services.order.domain.model import Line, Order, Problem
from waybill.type.v1.reasons import ReasonName


@dataclass(frozen=True, slots=True)
class Quoted:
    """An order, the lines that a request was about, and why lines have no price."""

    order: Order
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...] = ()


def noted(problems: Iterable[Problem]) -> list[list[str]]:
    """Problems as an outcome keeps them."""
    return [[p.reason, p.context, p.subject, p.description] for p in problems]


def again(order: Order, lines: Sequence[Line], recorded: Outcome) -> Quoted:
    """The answer of the first call: its lines, in its order, as far as they are still there, and its problems."""
    by_id = {line.id: line for line in lines}
    # Requests recorded by an older version name no lines, and no problems.
    those = tuple(by_id[id] for id in recorded.get("line_items", by_id) if id in by_id)
    found = recorded.get("price_problems", [])
    return Quoted(
        order, those, tuple(Problem(ReasonName(reason), context, subject, text) for reason, context, subject, text in found)
    )


class Outdated(Exception):
    """Lines of the same products have changed since their prices were asked for: undoes the transaction."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.id)
        self.order = order


@dataclass(frozen=True, slots=True)
class Priced:
    """All lines of an order as a change makes them, with the prices that were asked for, if these are of them."""

    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    fits: bool

    @classmethod
    def by(cls, quote: Quote | None, lines: Sequence[Line]) -> Priced:
        """The lines under a quote."""
        if quote is None or not quote.is_of(lines):
            return cls(tuple(lines), (), False)
        return cls(*quote.taken(lines), True)

    def outcome(self, order_id: str, line_ids: list[str]) -> Outcome:
        """What is recorded of the request."""
        return {"order": order_id, "line_items": line_ids, "price_problems": noted(self.problems)}

    def require_of(self, order: Order) -> None:
        """Raises `Outdated` unless the prices are of the lines."""
        if not self.fits:
            raise Outdated(order)

    def other_than(self, before: Sequence[Line]) -> list[Line]:
        """Lines of before that are others now."""
        known = {line.id: line for line in before}
        return [line for line in self.lines if line.id in known and line != known[line.id]]
