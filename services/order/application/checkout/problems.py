"""Problems that other contexts found, as one error that lists them all."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import Kind, RuleViolation, WaybillError
from services.order.domain.model import Problem
from waybill.order.v1.reasons import ReasonName


def refuse(reason: ReasonName, order_id: str, what: str, problems: Sequence[Problem]) -> WaybillError:
    """FAILED_PRECONDITION with every problem. The reason is the order service's own, also when there is one problem only: what
    another context found is promised another code and other metadata."""
    text = "; ".join(f"{p.subject}: {p.description}" for p in problems[:5])
    return WaybillError(
        Kind.PRECONDITION,
        reason,
        f"{what} of order {order_id} is not possible: {text}",
        metadata={"order": order_id},
        rules=[RuleViolation(p.reason, p.subject, p.description) for p in problems],
    )
