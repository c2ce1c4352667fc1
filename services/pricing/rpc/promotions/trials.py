"""TryExpression: expressions on an order that somebody makes up. Nothing is stored, and nobody's data is read."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import Message

from libs.errors import Violations
from libs.expr import Expression, Faults, Part, Result
from services.pricing.contract.promotion_expressions import REASONS, TARGET_PREFIX, expression_of
from waybill.pricing.v1 import promotion_service_pb2 as pb
from waybill.pricing.v1 import reasons
from waybill.pricing.v1.promotion_pb2 import PromotionTarget

MAX_LINES = 200
SHOWN = 200
"""Characters of a text that are shown."""


def tried(request: pb.TryExpressionRequest) -> pb.TryExpressionResponse:
    """What both expressions come to. Raises violations of the request; faults of the expressions are part of the answer."""
    found = Violations()
    known = request.target in PromotionTarget.values() and bool(request.target)
    found.require("target", known, reasons.FIELD_REQUIRED, "is required")
    lines = len(request.order.items)
    found.require("order.items", lines <= MAX_LINES, reasons.TOO_MANY_ITEMS, f"at most {MAX_LINES:,} lines")
    found.raise_if_any()
    target = PromotionTarget.Name(request.target).removeprefix(TARGET_PREFIX)
    bindings: dict[str, Message] = {"order": request.order, "item": request.item}
    answer = pb.TryExpressionResponse()
    if request.eligible_expression:
        answer.eligible.CopyFrom(_tried(request.eligible_expression, target, Result.CONDITION, bindings, lines))
    if request.value_expression:
        answer.value.CopyFrom(_tried(request.value_expression, target, Result.AMOUNT, bindings, lines))
    return answer


def _tried(text: str, target: str, result: Result, bindings: Mapping[str, Message], lines: int) -> pb.TriedExpression:
    try:
        expression = expression_of(text, target, result)
    except Faults as error:
        return pb.TriedExpression(
            faults=[
                pb.ExpressionFault(reason=REASONS[f.reason], line=f.place.line, column=f.place.column, sentence=f.sentence)
                for f in error.faults
            ]
        )
    made = pb.TriedExpression(
        parts=_parts(expression, bindings), names=sorted(expression.names), steps=expression.cost.steps(lines)
    )
    value = expression.run(bindings)
    if value.failed:
        made.error = value.error
    elif result is Result.CONDITION:
        made.holds = bool(value.value)
    else:
        made.amount = int(value.value)
    return made


def _parts(expression: Expression, bindings: Mapping[str, Message]) -> list[pb.ExpressionPart]:
    return [
        pb.ExpressionPart(text=p.text, line=p.place.line, column=p.place.column, value=_shown(p), error=p.error)
        for p in expression.explain(bindings)
    ]


def _shown(part: Part) -> str:
    """The value of a part as an expression would write it; texts without quotes."""
    if part.error:
        return ""
    if part.value is None:
        return "null"
    return str(part.value).lower() if isinstance(part.value, bool) else str(part.value)[:SHOWN]
