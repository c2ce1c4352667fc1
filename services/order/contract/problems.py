"""Between the message that every service names its problems by, and this service's own value."""

from __future__ import annotations

from services.order.domain.model import Problem
from waybill.type.v1 import problem_pb2
from waybill.type.v1.reasons import ReasonName


def problem_in(p: problem_pb2.Problem) -> Problem:
    """As another service answered it."""
    return Problem(ReasonName(p.reason), p.context, p.subject, p.description, p.contended)


def problem_out(p: Problem) -> problem_pb2.Problem:
    """As the buyer is shown it."""
    return problem_pb2.Problem(
        reason=p.reason, context=p.context, subject=p.subject, description=p.description, contended=p.contended
    )
