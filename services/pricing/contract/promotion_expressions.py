"""What the expressions of promotions are written about, and how they are checked when they are saved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from libs.errors import Violations
from libs.expr import Environment, Expression, Faults, Reason, Result
from services.pricing.domain.promotions.terms import LINE
from waybill.pricing.v1 import promotion_expression_pb2 as pb
from waybill.pricing.v1 import reasons

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
MAX_EXPRESSION = 400
"""Characters of an expression."""
RESULTS: Mapping[str, Result] = {"eligible_expression": Result.CONDITION, "value_expression": Result.AMOUNT}
"""By field, what its expression comes to."""


@lru_cache(maxsize=4_000)
def expression_of(text: str, target: str, result: Result) -> Expression:
    """The expression of a promotion with that target. Raises `Faults` with all that is wrong with it."""
    return (_OF_LINES if target == LINE else _OF_ORDERS).check(text, result)


def check_expressions(found: Violations, where: str, row: Mapping[str, str]) -> None:
    """Notes every fault of both expressions, with its place in the text. Without a target there is nothing to check them by."""
    if not row["target"]:
        return
    for field, result in RESULTS.items():
        # That a text is too long is noted where it is read.
        if not 0 < len(row[field]) <= MAX_EXPRESSION:
            continue
        try:
            expression_of(row[field], row["target"], result)
        except Faults as error:
            for fault in error.faults:
                found.add(f"{where}.{field}", REASONS[fault.reason], str(fault))
