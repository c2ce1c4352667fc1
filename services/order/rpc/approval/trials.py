"""What an expression comes to before a rule with it is saved."""

from __future__ import annotations

from libs.expr import Expression, Faults, Part
from services.order.contract.approval_expressions import REASONS, bindings_of
from waybill.order.v1 import approval_expression_pb2, approval_rule_service_pb2

MAX_LINES = 1_000
"""Lines of an order that is made up."""
SHOWN = 200
"""Characters of a text that are shown."""
Answer = approval_rule_service_pb2.TryApprovalExpressionResponse


def faulty(error: Faults) -> Answer:
    """Why it is no expression."""
    made = Answer()
    for fault in error.faults:
        made.faults.add(reason=REASONS[fault.reason], line=fault.place.line, column=fault.place.column, sentence=fault.sentence)
    return made


def tried(expression: Expression, order: approval_expression_pb2.ApprovalOrder) -> Answer:
    """Whether it holds, and its parts."""
    bound = bindings_of(order)
    value = expression.run(bound)
    made = Answer(holds=value.failed or bool(value.value), error=value.error)
    for part in expression.explain(bound):
        made.parts.add(text=part.text, value=_shown(part), error=part.error)
    return made


def _shown(part: Part) -> str:
    """The value of a part as an expression would write it; texts without quotes."""
    if part.error:
        return ""
    if part.value is None:
        return "null"
    return str(part.value).lower() if isinstance(part.value, bool) else str(part.value)[:SHOWN]
