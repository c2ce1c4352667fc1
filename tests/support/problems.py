"""Problems as tests compare them."""

from __future__ import annotations

from waybill.type.v1.problem_pb2 import Problem


def about(problem: Problem) -> str:
    """The id of the line, estimate or payment that a problem is about; empty for one about the whole order."""
    return problem.subject.partition("[")[2].removesuffix("]")
