"""GroupingRuleService."""

from __future__ import annotations

from typing import Any

from libs.resource.contract import Methods
from services.shipping.application.ports import ShippingWork
from waybill.shipping.v1 import grouping_rule_service_pb2 as pb
from waybill.shipping.v1 import grouping_rule_service_pb2_grpc as pb_grpc


class GroupingRuleServicer(pb_grpc.GroupingRuleServiceServicer):
    """Grouping rules."""

    def __init__(self, methods: Methods[ShippingWork]) -> None:
        self._methods = methods

    async def CreateGroupingRule(self, request: pb.CreateGroupingRuleRequest, context: Any) -> pb.CreateGroupingRuleResponse:
        (made,) = await self._methods.create(request, [request.grouping_rule], "grouping_rule")
        return pb.CreateGroupingRuleResponse(grouping_rule=made)

    async def BatchCreateGroupingRules(
        self, request: pb.BatchCreateGroupingRulesRequest, context: Any
    ) -> pb.BatchCreateGroupingRulesResponse:
        made = await self._methods.create(request, request.grouping_rules, "grouping_rules")
        return pb.BatchCreateGroupingRulesResponse(grouping_rules=made)

    async def GetGroupingRule(self, request: pb.GetGroupingRuleRequest, context: Any) -> pb.GetGroupingRuleResponse:
        return pb.GetGroupingRuleResponse(grouping_rule=await self._methods.get(request.grouping_rule_id))

    async def ListGroupingRules(self, request: pb.ListGroupingRulesRequest, context: Any) -> pb.ListGroupingRulesResponse:
        page = await self._methods.list(request)
        return pb.ListGroupingRulesResponse(
            grouping_rules=page.items, next_page_token=page.next_page_token, total_size=page.total_size
        )

    async def UpdateGroupingRule(self, request: pb.UpdateGroupingRuleRequest, context: Any) -> pb.UpdateGroupingRuleResponse:
        changed = await self._methods.update(request, request.grouping_rule, "grouping_rule")
        return pb.UpdateGroupingRuleResponse(grouping_rule=changed)

    async def DeleteGroupingRule(self, request: pb.DeleteGroupingRuleRequest, context: Any) -> pb.DeleteGroupingRuleResponse:
        await self._methods.delete(request, request.grouping_rule_id)
        return pb.DeleteGroupingRuleResponse()
