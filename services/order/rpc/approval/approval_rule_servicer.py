"""ApprovalRuleService."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libs.clock import Clock
from libs.errors import Violations, missing
from libs.expr import Faults
from libs.protoconv import text_in
from libs.resource.contract import Guard, Items, Methods
from libs.rpc import current
from services.order.application.approval.approving_groups import ApprovingGroups, check_groups
from services.order.application.approval.read_subject import ReadSubject
from services.order.application.ports import OrderWork
from services.order.contract.approval_expressions import GROUPS, MAX_EXPRESSION, approval_order, expression_of
from services.order.rpc.approval import trials
from waybill.order.v1 import approval_rule_service_pb2 as pb
from waybill.order.v1 import approval_rule_service_pb2_grpc as pb_grpc
from waybill.order.v1 import reasons

BATCH = 1_000
"""Most rules of one call."""


class ApprovalRuleServicer(pb_grpc.ApprovalRuleServiceServicer):
    """Which orders of a buyer need an approval, and whose."""

    def __init__(self, rules: Methods[OrderWork], groups: ApprovingGroups, subjects: ReadSubject, clock: Clock) -> None:
        self._rules = rules
        self._groups = groups
        self._subjects = subjects
        self._clock = clock

    async def CreateApprovalRule(self, request: pb.CreateApprovalRuleRequest, context: Any) -> pb.CreateApprovalRuleResponse:
        (made,) = await self._create(request, [request.approval_rule], "approval_rule")
        return pb.CreateApprovalRuleResponse(approval_rule=made)

    async def BatchCreateApprovalRules(
        self, request: pb.BatchCreateApprovalRulesRequest, context: Any
    ) -> pb.BatchCreateApprovalRulesResponse:
        made = await self._create(request, request.approval_rules, "approval_rules")
        return pb.BatchCreateApprovalRulesResponse(approval_rules=made)

    async def GetApprovalRule(self, request: pb.GetApprovalRuleRequest, context: Any) -> pb.GetApprovalRuleResponse:
        return pb.GetApprovalRuleResponse(approval_rule=await self._rules.get(_id_in(request.approval_rule_id)))

    async def ListApprovalRules(self, request: pb.ListApprovalRulesRequest, context: Any) -> pb.ListApprovalRulesResponse:
        page = await self._rules.list(request)
        return pb.ListApprovalRulesResponse(
            approval_rules=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateApprovalRule(self, request: pb.UpdateApprovalRuleRequest, context: Any) -> pb.UpdateApprovalRuleResponse:
        rule, paths = request.approval_rule, request.update_mask.paths
        moved = rule.approving_group_id if not paths or "approving_group_id" in paths else ""
        # A group that stays was looked up when it was named.
        guard = _guard(await self._groups.buyers({moved})) if moved else None
        made = await self._rules.update(request, rule, "approval_rule", guard=guard)
        return pb.UpdateApprovalRuleResponse(approval_rule=made)

    async def DeleteApprovalRule(self, request: pb.DeleteApprovalRuleRequest, context: Any) -> pb.DeleteApprovalRuleResponse:
        await self._rules.delete(request, _id_in(request.approval_rule_id))
        return pb.DeleteApprovalRuleResponse()

    async def TryApprovalExpression(
        self, request: pb.TryApprovalExpressionRequest, context: Any
    ) -> pb.TryApprovalExpressionResponse:
        _check_trial(request)
        try:
            expression = expression_of(request.expression)
        except Faults as error:
            return trials.faulty(error)
        if request.HasField("order"):
            return trials.tried(expression, request.order)
        subject = await self._subjects(current().principal, request.order_id, GROUPS in expression.names)
        made = approval_order(subject.order, subject.lines, subject.groups, self._clock.now())
        return trials.tried(expression, made)

    async def _create(self, request: Any, rules: Sequence[pb.ApprovalRule], where: str) -> list[Any]:
        caller = current().principal
        for rule in rules[:BATCH]:
            if rule.buyer_id and not caller.is_seller and rule.buyer_id != caller.party_id:
                raise missing("buyer", rule.buyer_id)
        known = await self._groups.buyers({rule.approving_group_id for rule in rules[:BATCH]})
        return await self._rules.create(request, rules, where, guard=_guard(known))


def _guard(buyers: Mapping[str, str]) -> Guard[OrderWork]:
    async def check(work: OrderWork, found: Violations, items: Items) -> None:
        check_groups(found, buyers, [(where, row["buyer_id"], row["approving_group_id"]) for where, row in items])

    return check


def _check_trial(request: pb.TryApprovalExpressionRequest) -> None:
    found = Violations()
    text_in(found, "expression", request.expression, MAX_EXPRESSION, True)
    if request.HasField("order"):
        some = len(request.order.items) <= trials.MAX_LINES
        found.require("order.items", some, reasons.TOO_MANY_ITEMS, f"at most {trials.MAX_LINES:,} lines")
    else:
        found.check_id("order_id", request.order_id)
    found.raise_if_any()


def _id_in(value: str) -> str:
    found = Violations()
    found.check_id("approval_rule_id", value)
    found.raise_if_any()
    return value
