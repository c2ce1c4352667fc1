"""Runs the expressions of promotions over the messages that stand for one order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from google.protobuf.message import Message

from libs.expr import Expression, Faults, Result, RunReason, Value, run_many
from services.pricing.domain.promotions.promotion import Promotion, Target

ORDER, ITEM = "order", "item"
"""The variables of an expression; there is an item where the target is LINE."""

Parse = Callable[[str, Target, Result], Expression]
"""The expression that a text is, for promotions with that target. Raises `Faults`."""


class ExpressionJudge:
    """What the expressions of promotions come to. One that cannot be read any more has no value, like one whose run fails."""

    def __init__(self, parse: Parse, orders: Callable[[str], Message], items: Sequence[Message]) -> None:
        """`orders` gives the order as promotions of a supplier see it, of the seller where it is empty; it is asked often, so it
        keeps what it has made. `items` are the lines in the order of the basis that promotions are taken off."""
        self._parse = parse
        self._orders = orders
        self._items = items

    async def conditions(self, promotion: Promotion, lines: Sequence[int] | None) -> Sequence[Value]:
        """Whether it fits each of these lines; without lines, the order: one value."""
        return await self._values(promotion, promotion.eligible_expression, Result.CONDITION, lines)

    async def amounts(self, promotion: Promotion, lines: Sequence[int] | None) -> Sequence[Value]:
        """What it gives each of these lines, in micros; without lines, the order or its shipping: one value."""
        return await self._values(promotion, promotion.value_expression, Result.AMOUNT, lines)

    async def _values(self, promotion: Promotion, text: str, result: Result, lines: Sequence[int] | None) -> Sequence[Value]:
        number = 1 if lines is None else len(lines)
        try:
            expression = self._parse(text, promotion.target, result)
        except Faults as error:
            return [Value(error=str(error), reason=RunReason.FAILED)] * number
        order = self._orders(promotion.supplier_id)
        if lines is not None and expression.reads_line:
            return await run_many(expression, (self._bound(order, line) for line in lines))
        # What no line has a part in is the same for all of them, and may go through all of them: it is worked out once.
        return [expression.run(self._bound(order, lines[0] if lines else None))] * number

    def _bound(self, order: Message, line: int | None) -> Mapping[str, Message]:
        return {ORDER: order} if line is None else {ORDER: order, ITEM: self._items[line]}
