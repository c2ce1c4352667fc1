"""Rules that say which orders of a buyer somebody has to approve, and who."""

from __future__ import annotations

from typing import Any

from services.host.sample.marketplace import PASSWORD, SHOP, party
from tests.e2e.steps import refused, violations
from tests.support.marketplace import Marketplace, create
from waybill.directory.v1 import buyer_service_pb2 as buyers
from waybill.directory.v1 import user_group_service_pb2 as groups
from waybill.directory.v1 import user_service_pb2
from waybill.order.v1 import approval_expression_pb2
from waybill.order.v1 import approval_rule_service_pb2 as pb
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, PARTY_KIND_SUPPLIER, Party
from waybill_client import AsyncWaybill

DEAR = "order.total > money('1000')"


def rule(id: str, buyer_id: str = "globex", group: str = "gx-heads", **more: Any) -> pb.ApprovalRule:
    values = {"name": id, "expression": DEAR, "active": True, **more}
    return pb.ApprovalRule(id=id, buyer_id=buyer_id, approving_group_id=group, **values)


async def made(client: AsyncWaybill, *rules: pb.ApprovalRule, **more: Any) -> list[pb.ApprovalRule]:
    answer = await client.approval_rules.BatchCreateApprovalRules(
        pb.BatchCreateApprovalRulesRequest(approval_rules=rules, **more)
    )
    return list(answer.approval_rules)


async def changed(client: AsyncWaybill, one: pb.ApprovalRule, *paths: str) -> pb.ApprovalRule:
    request = pb.UpdateApprovalRuleRequest(approval_rule=one, update_mask={"paths": paths})
    return (await client.approval_rules.UpdateApprovalRule(request)).approval_rule


async def listed(client: AsyncWaybill, **more: Any) -> list[str]:
    answer = await client.approval_rules.ListApprovalRules(pb.ListApprovalRulesRequest(order_by="id", **more))
    return [one.id for one in answer.approval_rules]


async def removed(client: AsyncWaybill, id: str) -> None:
    await client.approval_rules.DeleteApprovalRule(pb.DeleteApprovalRuleRequest(approval_rule_id=id))


async def tried(client: AsyncWaybill, expression: str, **on: Any) -> pb.TryApprovalExpressionResponse:
    request = pb.TryApprovalExpressionRequest(expression=expression, **on)
    return await client.approval_rules.TryApprovalExpression(request)


async def furnish(owner: AsyncWaybill) -> None:
    """Globex has a group, and so have Umbra and a supplier."""
    umbra = buyers.Buyer(id="umbra", name="Umbra", active=True, currency="USD")
    await owner.buyers.CreateBuyer(buyers.CreateBuyerRequest(buyer=umbra, request_id="approvals"))
    parties = {
        "gx-heads": Party(kind=PARTY_KIND_BUYER, id="globex"),
        "gx-money": Party(kind=PARTY_KIND_BUYER, id="globex"),
        "um-heads": Party(kind=PARTY_KIND_BUYER, id="umbra"),
        "lu-heads": Party(kind=PARTY_KIND_SUPPLIER, id="lumenworks"),
    }
    named = [groups.UserGroup(id=id, name=id, party=party) for id, party in parties.items()]
    request = groups.BatchCreateUserGroupsRequest(user_groups=named, request_id="approvals")
    await owner.user_groups.BatchCreateUserGroups(request)


async def keeper_of(market: Marketplace, id: str, *held: str) -> AsyncWaybill:
    """Somebody of Globex with these roles, signed in."""
    made = user_service_pb2.User(id=id, party=party("BUYER", "globex"), username=id, active=True, password=PASSWORD, roles=held)
    await market.people.owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=made))
    return await AsyncWaybill.connect(market.address, SHOP, username=id, password=PASSWORD)


async def test_the_seller_and_the_buyer_itself_keep_the_rules_of_a_buyer(shared_sqlite_market: Marketplace) -> None:
    people = shared_sqlite_market.people
    await furnish(people.owner)
    keeper = await keeper_of(shared_sqlite_market, "gx-keeper", "ApprovalRuleAdmin")
    reader = await keeper_of(shared_sqlite_market, "gx-reader", "ApprovalRuleReader")
    one, theirs = await made(people.owner, rule("gx-dear"), rule("um-dear", "umbra", "um-heads"), request_id="two")
    assert (one.etag, one.expression, one.active) == ("1", DEAR, True)
    assert await made(people.owner, rule("gx-dear"), rule("um-dear", "umbra", "um-heads"), request_id="two") == [one, theirs]
    assert await made(keeper, rule("gx-odd")) != []
    assert (await listed(keeper), await listed(reader), await listed(people.owner)) == (
        ["gx-dear", "gx-odd"],
        ["gx-dear", "gx-odd"],
        ["gx-dear", "gx-odd", "um-dear"],
    )
    assert await listed(people.owner, filter='approving_group_id = "um-heads"') == ["um-dear"]
    moved = await changed(
        keeper, pb.ApprovalRule(id="gx-odd", approving_group_id="gx-money", name="Odd"), "approving_group_id", "name"
    )
    assert (moved.approving_group_id, moved.name, moved.expression, moved.etag) == ("gx-money", "Odd", DEAR, "2")
    for foreign in (
        made(keeper, rule("mine", "umbra", "um-heads")),
        changed(keeper, pb.ApprovalRule(id="um-dear", name="Mine"), "name"),
        removed(keeper, "um-dear"),
        keeper.approval_rules.GetApprovalRule(pb.GetApprovalRuleRequest(approval_rule_id="um-dear")),
    ):
        assert (await refused(foreign)).reason == "RESOURCE_NOT_FOUND"
    assert (await refused(removed(reader, "gx-odd"))).reason == "ROLE_MISSING"
    for id in ("gx-dear", "gx-odd", "um-dear"):
        await removed(people.owner, id)
    assert await listed(people.owner) == []


async def test_an_expression_is_checked_when_it_is_saved_and_tried_before(shared_sqlite_market: Marketplace) -> None:
    people = shared_sqlite_market.people
    await furnish(people.owner)
    wrong = await refused(made(people.owner, rule("w", expression="order.totl > 5"), rule("v", expression="order.total")))
    assert violations(wrong) == {
        ("approval_rules[0].expression", "EXPRESSION_NAME_UNKNOWN"),
        ("approval_rules[1].expression", "EXPRESSION_TYPE_MISMATCH"),
    }
    keeper = await keeper_of(shared_sqlite_market, "gx-tries", "ApprovalRuleAdmin", "OrderReader", "UnsubmittedOrderReader")
    await create(people.gil, "AR-TRIED", tape=3)
    await create(people.ada, "AR-OTHERS", tape=3)
    asked = "order.items.exists(i, i.product_id == 'tape' && i.quantity > 2) && !('gx-heads' in order.user_group_ids)"
    answer = await tried(keeper, asked, order_id="AR-TRIED")
    assert (answer.holds, answer.error, [p.value for p in answer.parts if p.text.startswith("order.items")]) == (
        True,
        "",
        ["true"],
    )
    failing = await tried(keeper, "order.xp.project == 'moon'", order_id="AR-TRIED")
    assert (failing.holds, failing.error != "") == (True, True)
    given = approval_expression_pb2.ApprovalOrder(total=1_000_000_001, approved_rule_ids=["heads"])
    assert (await tried(keeper, DEAR + " && approved('heads')", order=given)).holds
    assert not (await tried(keeper, DEAR + " && approved('others')", order=given)).holds
    (fault,) = (await tried(keeper, "order.totl > 5", order=given)).faults
    assert (fault.reason, fault.line, fault.column) == ("EXPRESSION_NAME_UNKNOWN", 1, 7)
    assert (await refused(tried(keeper, DEAR, order_id="AR-OTHERS"))).reason == "RESOURCE_NOT_FOUND"
    assert violations(await refused(tried(keeper, ""))) == {("expression", "FIELD_REQUIRED"), ("order_id", "FIELD_REQUIRED")}


async def test_the_group_of_a_rule_is_one_of_its_buyer(shared_market: Marketplace) -> None:
    owner = shared_market.people.owner
    await furnish(owner)
    wrong = await refused(
        made(
            owner,
            rule("a", group="um-heads"),
            rule("b", group="nowhere"),
            rule("c", group="lu-heads"),
            rule("d", group="no id!", name=""),
            rule("e", group=""),
            rule("f"),
        )
    )
    assert violations(wrong) == {
        ("approval_rules[0].approving_group_id", "USER_GROUP_NOT_FOUND"),
        ("approval_rules[1].approving_group_id", "USER_GROUP_NOT_FOUND"),
        ("approval_rules[2].approving_group_id", "USER_GROUP_NOT_FOUND"),
        ("approval_rules[3].approving_group_id", "ID_INVALID"),
        ("approval_rules[3].approving_group_id", "USER_GROUP_NOT_FOUND"),
        ("approval_rules[3].name", "FIELD_REQUIRED"),
        ("approval_rules[4].approving_group_id", "FIELD_REQUIRED"),
    }
    await made(owner, rule("gx-large"))
    other = await refused(changed(owner, pb.ApprovalRule(id="gx-large", approving_group_id="um-heads"), "approving_group_id"))
    assert violations(other) == {("approval_rule.approving_group_id", "USER_GROUP_NOT_FOUND")}
    bought = await refused(changed(owner, pb.ApprovalRule(id="gx-large", buyer_id="umbra"), "buyer_id"))
    assert violations(bought) == {("approval_rule.buyer_id", "FIELD_INVALID")}
    assert (await changed(owner, pb.ApprovalRule(id="gx-large", name="Dear"), "name")).approving_group_id == "gx-heads"
    await removed(owner, "gx-large")
