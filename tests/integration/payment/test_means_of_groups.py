"""Spending accounts and cards of groups of users."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from libs.auth import Principal
from libs.db import counting
from libs.errors import Kind, WaybillError
from services import roles
from tests.integration.payment.world import World, by_card, from_account, payment, reasons
from tests.support.principals import buyer, seller
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import spending_account_service_pb2 as pb

NOBODYS = "nobodys"
"""A group that nobody is in."""


def member(*groups: str, user: str = "anna", party: str = "acme") -> Principal:
    """A shopper whose token names these groups."""
    return replace(buyer(user=user, party=party), groups=frozenset(groups))


def cut(user: str = "anna") -> Principal:
    """A shopper whose token had no room for its groups."""
    return replace(buyer(user=user), groups=None)


def of_account(id: str, user: str = "", group: str = "", exceed: bool = False) -> pb.SpendingAccountAssignment:
    return pb.SpendingAccountAssignment(spending_account_id=id, user_id=user, user_group_id=group, allow_exceed=exceed)


def of_card(id: str, user: str = "", group: str = "") -> card_pb.CreditCardAssignment:
    return card_pb.CreditCardAssignment(credit_card_id=id, user_id=user, user_group_id=group)


async def assign(world: World, *items: Any, caller: Principal | None = None, **more: Any) -> None:
    if isinstance(items[0], pb.SpendingAccountAssignment):
        request = pb.AssignSpendingAccountsRequest(assignments=items, **more)
        await world.accounts(caller).AssignSpendingAccounts(request)
    else:
        await world.cards(caller).AssignCreditCards(card_pb.AssignCreditCardsRequest(assignments=items, **more))


async def unassign(world: World, *items: Any, caller: Principal | None = None) -> None:
    if isinstance(items[0], pb.SpendingAccountAssignment):
        await world.accounts(caller).UnassignSpendingAccounts(pb.UnassignSpendingAccountsRequest(assignments=items))
    else:
        await world.cards(caller).UnassignCreditCards(card_pb.UnassignCreditCardsRequest(assignments=items))


async def accounts(world: World, caller: Principal) -> list[str]:
    page = await world.accounts(caller).ListSpendingAccounts(pb.ListSpendingAccountsRequest(order_by="id", include_total=True))
    assert page.total_size == len(page.spending_accounts)
    return [a.id for a in page.spending_accounts]


async def cards(world: World, caller: Principal) -> list[str]:
    page = await world.cards(caller).ListCreditCards(card_pb.ListCreditCardsRequest(order_by="id", include_total=True))
    assert page.total_size == len(page.credit_cards)
    return [c.id for c in page.credit_cards]


async def refusals(call: Any) -> list[tuple[str, str]]:
    with pytest.raises(WaybillError) as refused:
        await call
    return [(f.field, f.reason) for f in refused.value.fields]


@pytest.fixture
async def funded(world: World) -> World:
    """An account and a card of acme that are its smiths'."""
    await world.account("forge", 100, user=NOBODYS)
    await world.card("tok_approve", user="")
    await assign(world, of_account("forge", group="smiths"))
    await assign(world, of_card("tok_approve", group="smiths"))
    return world


async def test_members_of_a_group_see_what_is_assigned_to_it(funded: World) -> None:
    await funded.account("all")
    await funded.card("tok_other", user="")
    for caller, is_smith in ((member("smiths", "others"), True), (member("others"), False), (member(), False)):
        assert await accounts(funded, caller) == (["all", "forge"] if is_smith else ["all"])
        assert await cards(funded, caller) == (["tok_approve", "tok_other"] if is_smith else ["tok_other"])
    # A group of the same name in the token of another company's user opens nothing.
    assert await accounts(funded, member("smiths", party="other")) == []
    assert await cards(funded, member("smiths", party="other")) == []
    for stub, request in (
        (funded.accounts(member()).GetSpendingAccount, pb.GetSpendingAccountRequest(spending_account_id="forge")),
        (funded.cards(member()).GetCreditCard, card_pb.GetCreditCardRequest(credit_card_id="tok_approve")),
    ):
        with pytest.raises(WaybillError) as hidden:
            await stub(request)
        assert hidden.value.kind is Kind.MISSING
    assert funded.memberships.asked == []


async def test_the_directory_is_asked_only_where_the_token_had_no_room_and_a_group_has_something(world: World) -> None:
    world.memberships.groups = {"anna": ["smiths"]}
    await world.account("forge", user=NOBODYS)
    await world.card("tok_approve", user="bob")
    assert await accounts(world, cut()) == []
    assert await cards(world, cut()) == []
    assert world.memberships.asked == []
    await assign(world, of_account("forge", group="smiths"))
    assert await accounts(world, cut()) == ["forge"]
    assert await accounts(world, cut("bob")) == []
    got = await world.accounts(cut()).GetSpendingAccount(pb.GetSpendingAccountRequest(spending_account_id="forge"))
    assert got.spending_account.id == "forge"
    assert world.memberships.asked == ["anna", "bob", "anna"]


async def test_a_member_pays_and_who_has_left_is_refused_when_adding_and_at_submit(funded: World) -> None:
    funded.acting = member("smiths")
    order = funded.order(100)
    await order.add(from_account("p1", "forge", 60), by_card("p2", "tok_approve"))
    assert reasons((await order.reserve(validate_only=True)).problems) == []
    funded.acting = member("others")
    lost = ["CARD_NOT_FOUND", "SPENDING_ACCOUNT_NOT_FOUND"]
    assert sorted(reasons((await order.reserve(validate_only=True)).problems)) == lost
    assert sorted(reasons((await order.reserve()).problems)) == lost
    assert await funded.balance("forge") == (100, 0)
    assert await refusals(funded.order(50).add(from_account("p3", "forge"))) == [
        ("payments[0].spending_account_id", "SPENDING_ACCOUNT_NOT_FOUND")
    ]
    assert await refusals(funded.order(50).add(by_card("p4", "tok_approve"))) == [
        ("payments[0].credit_card_id", "CARD_NOT_FOUND")
    ]
    funded.acting = member("smiths")
    assert reasons((await order.reserve(2)).problems) == []
    assert await funded.balance("forge") == (100, 60)
    assert funded.memberships.asked == []


@pytest.mark.parametrize("acting", [seller(), cut(), member(user="bob")], ids=["seller", "cut", "colleague"])
async def test_who_submits_for_another_pays_by_the_groups_of_the_orders_user(funded: World, acting: Principal) -> None:
    funded.memberships.groups = {"anna": ["smiths"]}
    funded.acting = acting
    await funded.order(100).opened(from_account("p1", "forge"))
    assert set(funded.memberships.asked) == {"anna"}
    funded.memberships.groups = {}
    assert reasons((await funded.order(50).reserve(1, from_account("p2", "forge"))).problems)[0] == "SPENDING_ACCOUNT_NOT_FOUND"


async def test_nobody_is_asked_for_groups_of_a_buyer_that_has_nothing_for_them(world: World) -> None:
    world.acting = seller()
    await world.account("all")
    await world.order(100).opened(from_account("p1", "all"))
    assert world.memberships.asked == []


async def test_the_users_own_assignment_beats_its_groups_and_these_the_companys(world: World) -> None:
    await world.account("gift", 10, exceed=False)
    await assign(world, of_account("gift", group="some"), of_account("gift", group="masters", exceed=True))

    async def exceeds(*groups: str) -> bool:
        world.acting = member(*groups)
        problems = (await world.order(50).reserve(1, from_account("", "gift"), validate_only=True)).problems
        assert reasons(problems) in ([], ["BALANCE_EXCEEDED"])
        return not problems

    assert [await exceeds(), await exceeds("some"), await exceeds("masters"), await exceeds("some", "masters")] == [
        False,
        False,
        True,
        True,
    ]
    await assign(world, of_account("gift", user="anna"))
    assert not await exceeds("masters")
    await unassign(world, of_account("gift", user="anna"), of_account("gift", group="masters"), of_account("gift"))
    await assign(world, of_account("gift", exceed=True))
    assert await exceeds()
    # What the company may does not help whom a group of its own forbids it.
    assert not await exceeds("some")


async def test_a_company_card_serves_everyone_until_it_is_assigned_and_then_only_those(world: World) -> None:
    await world.card("tok_approve", user="")
    assert await cards(world, member()) == ["tok_approve"]
    await assign(world, of_card("tok_approve", user="bob"), of_card("tok_approve", group="smiths"))
    assert await cards(world, member()) == []
    assert await cards(world, member(user="bob")) == ["tok_approve"]
    assert await cards(world, member("smiths")) == ["tok_approve"]
    await assign(world, of_card("tok_approve"))
    assert await cards(world, member()) == ["tok_approve"]
    await unassign(world, of_card("tok_approve"), of_card("tok_approve", user="bob"), of_card("tok_approve", group="smiths"))
    assert await cards(world, member(user="bob")) == []
    assert await cards(world, buyer(roles.CREDIT_CARD_ADMIN)) == ["tok_approve"]
    world.acting = member()
    assert await refusals(world.order(5).add(by_card("p", "tok_approve"))) == [("payments[0].credit_card_id", "CARD_NOT_FOUND")]
    await world.cards().DeleteCreditCard(card_pb.DeleteCreditCardRequest(credit_card_id="tok_approve"))


async def test_what_is_assigned_is_not_deleted(funded: World) -> None:
    for call, resource in (
        (funded.cards().DeleteCreditCard(card_pb.DeleteCreditCardRequest(credit_card_id="tok_approve")), "credit card"),
        (
            funded.accounts().DeleteSpendingAccount(pb.DeleteSpendingAccountRequest(spending_account_id="forge")),
            "spending account",
        ),
    ):
        with pytest.raises(WaybillError) as used:
            await call
        assert (used.value.reason, used.value.metadata["resource"]) == ("RESOURCE_IN_USE", resource)


async def test_everything_wrong_with_assignments_is_reported_at_once(funded: World) -> None:
    await funded.card("annas", user="anna")
    bad = [
        of_card("annas", group="smiths"),
        of_card("tok_approve", user="anna", group="smiths"),
        of_card("nowhere"),
        of_card("tok_approve", group="no group"),
        of_card(""),
        of_card("tok_approve", user="bob"),
        of_card("tok_approve", user="bob"),
    ]
    assert await refusals(assign(funded, *bad)) == [
        ("assignments[1].user_group_id", "FIELD_INVALID"),
        ("assignments[3].user_group_id", "ID_INVALID"),
        ("assignments[4].credit_card_id", "FIELD_REQUIRED"),
        ("assignments[6]", "DUPLICATE_ITEM"),
    ]
    assert await refusals(assign(funded, bad[0], bad[2], bad[5])) == [
        ("assignments[0].credit_card_id", "FIELD_INVALID"),
        ("assignments[1].credit_card_id", "CARD_NOT_FOUND"),
    ]
    assert await cards(funded, member(user="bob")) == []
    twice = [of_account("forge", user="bob", group="smiths"), of_account("forge"), of_account("forge", exceed=True)]
    assert await refusals(assign(funded, *twice)) == [
        ("assignments[0].user_group_id", "FIELD_INVALID"),
        ("assignments[2]", "DUPLICATE_ITEM"),
    ]


async def test_a_buyers_administrator_assigns_the_cards_of_its_company_only(world: World) -> None:
    await world.card("tok_approve", user="")
    await world.card("tok_other", user="", buyer_id="other")
    admin = buyer(roles.CREDIT_CARD_ADMIN)
    await assign(world, of_card("tok_approve", group="smiths"), caller=admin)
    assert await cards(world, member("smiths")) == ["tok_approve"]
    assert await refusals(assign(world, of_card("tok_other"), caller=admin)) == [
        ("assignments[0].credit_card_id", "CARD_NOT_FOUND")
    ]
    await assign(world, of_card("tok_other", user="gil"))
    await unassign(world, of_card("tok_other", user="gil"), caller=admin)
    assert await cards(world, member(user="gil", party="other")) == ["tok_other"]
    for caller in (buyer(), buyer(roles.ME_CREDIT_CARD_ADMIN)):
        with pytest.raises(WaybillError) as refused:
            await assign(world, of_card("tok_approve"), caller=caller)
        assert refused.value.reason == "ROLE_MISSING"


async def test_a_repeated_assignment_is_recorded_once(world: World) -> None:
    await world.card("tok_approve", user="")
    await assign(world, of_card("tok_approve", user="bob"), request_id="once")
    await unassign(world, of_card("tok_approve", user="bob"))
    await assign(world, of_card("tok_approve", user="bob"), request_id="once")
    assert await cards(world, member(user="bob")) == []
    with pytest.raises(WaybillError) as other:
        await assign(world, of_card("tok_approve", user="anna"), request_id="once")
    assert other.value.kind is Kind.INVALID


async def test_as_many_groups_as_a_user_may_be_in_cost_no_more_statements(funded: World) -> None:
    many = [f"g{i:05}" for i in range(20_000)]
    funded.memberships.groups = {"anna": [*many[1:], "smiths"]}
    for at in range(0, len(many), 1_000):
        await assign(funded, *(of_account("forge", group=id) for id in many[at : at + 1_000]))
        await assign(funded, *(of_card("tok_approve", group=id) for id in many[at : at + 1_000]))
    assert await accounts(funded, cut()) == ["forge"]
    assert await cards(funded, cut()) == ["tok_approve"]
    funded.acting = cut()
    counts = []
    for order in (funded.order(10, user="bob"), funded.order(10)):
        with counting() as count:
            paid = (from_account("", "forge", 4), by_card("", "tok_approve"))
            problems = (await order.reserve(1, *paid, validate_only=True)).problems
        counts.append((count.statements, reasons(problems)))
    assert counts[1] == (counts[0][0], [])
    assert sorted(counts[0][1]) == ["CARD_NOT_FOUND", "SPENDING_ACCOUNT_NOT_FOUND"]
    assert reasons((await funded.order(9).reserve(1, payment("po"))).problems) == []


async def test_assignments_are_listed_filtered_and_paged(funded: World) -> None:
    await funded.card("tok_other", user="", buyer_id="other")
    await assign(funded, of_account("forge", group="smiths", exceed=True), of_account("forge", user="anna"))
    await assign(funded, of_card("tok_approve", user="anna"), of_card("tok_approve"), of_card("tok_other", group="smiths"))

    async def of_accounts(caller: Principal | None = None, **more: Any) -> Any:
        request = pb.ListSpendingAccountAssignmentsRequest(include_total=True, **more)
        return await funded.accounts(caller).ListSpendingAccountAssignments(request)

    async def of_cards(caller: Principal | None = None, **more: Any) -> Any:
        request = card_pb.ListCreditCardAssignmentsRequest(include_total=True, **more)
        return await funded.cards(caller).ListCreditCardAssignments(request)

    page = await of_accounts()
    everything = [of_account("forge", group="smiths", exceed=True), of_account("forge", "anna"), of_account("forge", NOBODYS)]
    assert (list(page.assignments), page.total_size) == (everything, 3)
    first = await of_accounts(page_size=2)
    rest = await of_accounts(page_size=2, page_token=first.next_page_token)
    assert [*first.assignments, *rest.assignments] == everything
    assert list((await of_accounts(filter='user_group_id = "smiths"')).assignments) == everything[:1]

    own = [of_card("tok_approve"), of_card("tok_approve", group="smiths"), of_card("tok_approve", user="anna")]
    assert list((await of_cards()).assignments) == [*own, of_card("tok_other", group="smiths")]
    page = await of_cards(buyer(roles.CREDIT_CARD_READER))
    assert (list(page.assignments), page.total_size) == (own, 3)
    assert list((await of_cards(filter='user_group_id = "smiths" AND credit_card_id = "tok_other"')).assignments) == [
        of_card("tok_other", group="smiths")
    ]
    for listed, caller in ((of_accounts, buyer()), (of_cards, buyer()), (of_accounts, seller(roles.CREDIT_CARD_READER))):
        with pytest.raises(WaybillError) as refused:
            await listed(caller)
        assert refused.value.kind is Kind.DENIED
