"""What an approval rule is, between its message and the values that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.errors import Violations
from libs.resource.contract import Shape, flag, ref, text, xp
from services.order.contract.approval_expressions import MAX_EXPRESSION, check_expression
from waybill.order.v1 import approval_rule_service_pb2 as pb


def _check(found: Violations, where: str, row: Mapping[str, Any]) -> None:
    check_expression(found, f"{where}.expression", row["expression"])


_APPROVAL_RULE = (
    ref("buyer_id", required=True, immutable=True),
    text("name", 100, required=True),
    text("description", 2_000),
    ref("approving_group_id", required=True),
    text("expression", MAX_EXPRESSION, required=True),
    flag("active"),
    xp(),
)
APPROVAL_RULE = Shape("approval rule", pb.ApprovalRule, _APPROVAL_RULE, prefix="apr", check=_check)
