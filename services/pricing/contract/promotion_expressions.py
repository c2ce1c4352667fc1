"""What the expressions of promotions are written about, and how they are checked when they are saved."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from libs.errors import Violations
from libs.expr import MAX_LENGTH, Environment, Expression, Fault, Faults, Reason, Result
from services.pricing.domain.promotions.terms import LINE
from waybill.pricing.v1 import promotion_expression_pb2 as pb
from waybill.pricing.v1 import reasons
from waybill.pricing.v1.promotion_pb2 import Promotion, PromotionTarget

_OF_LINES = Environment({"order": pb.PromotionOrder, "item": pb.PromotionItem}, line_variable="item")
_OF_ORDERS = Environment({"order": pb.PromotionOrder})
REASONS: Mapping[Reason, reasons.ReasonName] = {
    Reason.SYNTAX: reasons.EXPRESSION_SYNTAX_INVALID,
    Reason.UNKNOWN_NAME: reasons.EXPRESSION_NAME_UNKNOWN,
    Reason.TYPE: reasons.EXPRESSION_TYPE_MISMATCH,
    Reason.NOT_ALLOWED: reasons.EXPRESSION_NOT_ALLOWED,
    Reason.TOO_LONG: reasons.EXPRESSION_TOO_LARGE,
    Reason.TOO_COSTLY: reasons.EXPRESSION_TOO_LARGE,
}
TARGET_PREFIX = "PROMOTION_TARGET_"
MAX_EXPRESSION = MAX_LENGTH
"""Characters of an expression."""
RESULTS: Mapping[str, Result] = {"eligible_expression": Result.CONDITION, "value_expression": Result.AMOUNT}
"""By field, what its expression comes to."""


@lru_cache(maxsize=1_000)
def expression_of(text: str, target: str, result: Result) -> Expression:
    """The expression of a promotion with that target. Raises `Faults` with all that is wrong with it."""
    return _environment(target).check(text, result)


@lru_cache(maxsize=2_000)
def _faults(text: str, target: str, result: Result) -> tuple[Fault, ...]:
    """What is wrong with an expression: remembered for all of a batch, without what makes them run."""
    try:
        _environment(target).check(text, result)
    except Faults as error:
        return error.faults
    return ()


def _environment(target: str) -> Environment:
    return _OF_LINES if target == LINE else _OF_ORDERS


def check_expressions(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    """Notes every fault of both expressions, with its place in the text. Without a target there is nothing to check them by."""
    for field, result in RESULTS.items():
        # That a text is too long is noted where it is read.
        if row["target"] and 0 < len(row[field]) <= MAX_EXPRESSION:
            for fault in _faults(row[field], row["target"], result):
                found.add(f"{where}.{field}", REASONS[fault.reason], str(fault))


async def looked_through(promotions: Iterable[Promotion]) -> None:
    """Checks the expressions of many promotions, one after the other: a batch takes a second, in which others get their turns.
    What is wrong with them is noted when they are read."""
    for promotion in promotions:
        known = promotion.target in PromotionTarget.values() and promotion.target
        target = PromotionTarget.Name(promotion.target).removeprefix(TARGET_PREFIX) if known else ""
        check_expressions(Violations(), "", {"target": target, **{field: getattr(promotion, field) for field in RESULTS}})
        await asyncio.sleep(0)
