"""Resources of the order service in their tables: who sees and changes which rows."""

from __future__ import annotations

import sqlalchemy as sa

from libs.auth import PartyKind, Principal
from libs.resource.database import Resource, UsedBy
from services.order.adapters.db.tables import APPROVAL_RULES, APPROVALS, MARKED, ORDERS, SUB_STATUSES
from services.order.contract import sub_statuses
from services.order.contract.approval_rules import APPROVAL_RULE as SHAPE
from services.order.domain.approval.rounds import ApprovalStatus


def visible_rules(caller: Principal) -> sa.ColumnElement[bool] | None:
    """Rules of the own company, or all for the seller."""
    if caller.is_seller:
        return None
    return APPROVAL_RULES.c.buyer_id == caller.party_id if caller.party_kind is PartyKind.BUYER else sa.false()


_PENDING = sa.select(APPROVALS.c.order_key).where(APPROVALS.c.status == ApprovalStatus.PENDING.value)
APPROVAL_RULE = Resource(
    SHAPE,
    APPROVAL_RULES,
    visible_rules,
    uses=[UsedBy("order", ORDERS.c.id, lambda _, id: ORDERS.c.key.in_(_PENDING.where(APPROVALS.c.rule_id == id)))],
)
SUB_STATUS = Resource(
    sub_statuses.SUB_STATUS,
    SUB_STATUSES,
    # With the condition of the index.
    uses=[UsedBy("order", ORDERS.c.id, lambda _, id: sa.and_(ORDERS.c.sub_status == id, MARKED))],
)
MADE = {
    "CreateApprovalRule": APPROVAL_RULES,
    "BatchCreateApprovalRules": APPROVAL_RULES,
    "CreateOrderSubStatus": SUB_STATUSES,
    "BatchCreateOrderSubStatuses": SUB_STATUSES,
}
"""By the method that makes it: the table where the id in a recorded outcome leads, unless it was deleted."""
APPROVAL_RULE_METHODS = "%.ApprovalRuleService/%"
"""Methods whose recorded outcomes name rules, by the pattern of their names."""
SUB_STATUS_METHODS = "%.OrderSubStatusService/%"
"""Methods whose recorded outcomes name sub-statuses."""
