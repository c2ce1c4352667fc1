"""What an approval rule is, between its message and the values that are kept."""

from __future__ import annotations

from libs.resource.contract import Shape, flag, ref, text, xp
from waybill.order.v1 import approval_rule_service_pb2 as pb

MAX_EXPRESSION = 400
"""Most characters of an expression."""
_APPROVAL_RULE = (
    ref("buyer_id", required=True, immutable=True),
    text("name", 100, required=True),
    text("description", 2_000),
    ref("approving_group_id", required=True),
    text("expression", MAX_EXPRESSION, required=True),
    flag("active"),
    xp(),
)
APPROVAL_RULE = Shape("approval rule", pb.ApprovalRule, _APPROVAL_RULE, prefix="apr")
