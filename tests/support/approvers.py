"""Acme's people who approve its orders."""

from __future__ import annotations

from typing import Any

from services.host.sample.marketplace import PASSWORD, SHOP, party
from tests.support.marketplace import Marketplace
from waybill.directory.v1 import user_group_service_pb2 as groups
from waybill.directory.v1 import user_service_pb2
from waybill.order.v1 import approval_rule_service_pb2, order_pb2
from waybill.order.v1 import approval_service_pb2 as pb
from waybill_client import AsyncWaybill


async def approver(market: Marketplace, id: str, group: str, expression: str, *roles: str) -> AsyncWaybill:
    """Somebody of Acme, alone in a group, which approves the orders that the expression holds for."""
    owner = market.people.owner
    held = ["Shopper", *roles]
    made = user_service_pb2.User(id=id, party=party("BUYER", "acme"), username=id, active=True, password=PASSWORD, roles=held)
    await owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=made))
    named = groups.UserGroup(id=group, name=group, party=party("BUYER", "acme"))
    await owner.user_groups.CreateUserGroup(groups.CreateUserGroupRequest(user_group=named))
    member = groups.UserGroupMember(user_group_id=group, user_id=id)
    await owner.user_groups.AddUserGroupMembers(groups.AddUserGroupMembersRequest(members=[member]))
    rule = approval_rule_service_pb2.ApprovalRule(
        id=group, buyer_id="acme", name=group, approving_group_id=group, expression=expression, active=True
    )
    await owner.approval_rules.CreateApprovalRule(approval_rule_service_pb2.CreateApprovalRuleRequest(approval_rule=rule))
    return AsyncWaybill(market.address, SHOP, username=id, password=PASSWORD)


async def approve(who: AsyncWaybill, id: str, *rules: str, **more: Any) -> order_pb2.Order:
    """The order with approvals given."""
    request = pb.ApproveOrderRequest(order_id=id, approval_rule_ids=rules, **more)
    return (await who.approvals.ApproveOrder(request)).order


async def decline(who: AsyncWaybill, id: str, **more: Any) -> order_pb2.Order:
    """The order with approvals declined."""
    return (await who.approvals.DeclineOrder(pb.DeclineOrderRequest(order_id=id, **more))).order


async def asked(market: Marketplace, prefix: str) -> None:
    """Orders that somebody approves: one in two steps after a refusal, one declined, one taken back."""
    ada = market.people.ada
    reads = ("OrderReader", "UnsubmittedOrderReader")
    of_all = f"order.id.startsWith('{prefix}')"
    hana = await approver(market, "hana", "heads", of_all, *reads)
    bo = await approver(market, "bo", "board", f"approved('heads') && order.id == '{prefix}-1'", *reads)
    await ada.place_order({"tape": 2}, id=f"{prefix}-1")
    await approve(hana, f"{prefix}-1", comment="fine")
    await approve(bo, f"{prefix}-1", comment="go")
    await ada.place_order({"tape": 1}, id=f"{prefix}-2")
    await decline(hana, f"{prefix}-2", comment="no")
    await ada.place_order({"tape": 1}, id=f"{prefix}-3")
    await ada.approvals.RecallOrder(pb.RecallOrderRequest(order_id=f"{prefix}-3", comment="typo"))
