"""Whoever wants to pay, or to have the prices, of a group that it is not in, or not in any longer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

import pytest
import pytest_asyncio

from services import roles
from services.directory.application.tokens.access_tokens import TOKEN_LENGTH
from services.host.sample.marketplace import PASSWORD, party
from tests.attacks.proxied import TILL, Proxied, by_password
from tests.attacks.tally import Tally
from tests.attacks.target import claims_of
from tests.e2e.steps import ready
from waybill.directory.v1 import user_group_service_pb2 as groups
from waybill.order.v1 import checkout_service_pb2 as checkout
from waybill.order.v1 import line_item_pb2, order_pb2
from waybill.payment.v1 import credit_card_service_pb2 as cards
from waybill.payment.v1 import payment_pb2, payment_service_pb2
from waybill.payment.v1 import spending_account_service_pb2 as accounts
from waybill.pricing.v1 import price_schedule_service_pb2 as prices
from waybill_client import AsyncWaybill, WaybillError, money

NOTHING = {"SPENDING_ACCOUNT_NOT_FOUND", "CARD_NOT_FOUND"}
MANY = 20_000


def by_card(id: str, card: str = "mg-card") -> payment_pb2.Payment:
    return payment_pb2.Payment(id=id, type="credit_card", credit_card_id=card)


def by_both(id: str) -> list[payment_pb2.Payment]:
    """Five by the account, the rest by the card."""
    account = payment_pb2.Payment(
        id=f"{id}-a", type="spending_account", spending_account_id="mg-account", amount=money("5.00", "USD")
    )
    return [account, by_card(f"{id}-c")]


def order(id: str) -> checkout.PlaceOrderRequest:
    lines = [line_item_pb2.LineItem(id="l1", product_id="tape", quantity=3)]
    return checkout.PlaceOrderRequest(order=order_pb2.Order(id=id), line_items=lines, payments=by_both(id))


async def refusals(call: Awaitable[object]) -> set[str]:
    """All the reasons of a refusal."""
    with pytest.raises(WaybillError) as refused:
        await call
    error = refused.value
    return {rule.reason for rule in error.rules} | {field.reason for field in error.fields} or {error.reason}


def signed_in(at: Proxied, name: str) -> AsyncWaybill:
    """Anew, so that the token names the groups of this moment."""
    return AsyncWaybill(at.host.address, TILL, username=name, password=PASSWORD)


async def member(at: Proxied, group: str, user: str, leaves: bool = False) -> None:
    members = [groups.UserGroupMember(user_group_id=group, user_id=user)]
    if leaves:
        await at.owner.user_groups.RemoveUserGroupMembers(groups.RemoveUserGroupMembersRequest(members=members))
    else:
        await at.owner.user_groups.AddUserGroupMembers(groups.AddUserGroupMembersRequest(members=members))


async def assign(client: AsyncWaybill, group: str) -> None:
    """Gives a group the account and the card."""
    to_account = accounts.SpendingAccountAssignment(spending_account_id="mg-account", user_group_id=group)
    await client.spending_accounts.AssignSpendingAccounts(accounts.AssignSpendingAccountsRequest(assignments=[to_account]))
    await assign_card(client, group)


async def assign_card(client: AsyncWaybill, group: str) -> None:
    to_card = cards.CreditCardAssignment(credit_card_id="mg-card", user_group_id=group)
    await client.credit_cards.AssignCreditCards(cards.AssignCreditCardsRequest(assignments=[to_card]))


async def unassign_card(client: AsyncWaybill, group: str) -> None:
    to_card = cards.CreditCardAssignment(credit_card_id="mg-card", user_group_id=group)
    await client.credit_cards.UnassignCreditCards(cards.UnassignCreditCardsRequest(assignments=[to_card]))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def funded(proxied_market: Proxied) -> AsyncIterator[Proxied]:
    """A group of acme has an account and a card; another company has a group of its own and an administrator of cards."""
    owner = proxied_market.owner
    for id, company in (("mg-group", "acme"), ("mg-foreign", "globex")):
        group = groups.UserGroup(id=id, name=id, party=party("BUYER", company))
        await owner.user_groups.CreateUserGroup(groups.CreateUserGroupRequest(user_group=group))
    account = accounts.SpendingAccount(
        id="mg-account", name="A", buyer_id="acme", currency="USD", active=True, opening_balance=money("500.00", "USD")
    )
    await owner.spending_accounts.CreateSpendingAccount(accounts.CreateSpendingAccountRequest(spending_account=account))
    card = cards.CreditCard(id="mg-card", buyer_id="acme", token="tok_approve", card_type="visa", partial_number="4242")
    await owner.credit_cards.CreateCreditCard(cards.CreateCreditCardRequest(credit_card=card))
    await assign(owner, "mg-group")
    await proxied_market.newcomer("mg-foreigner", roles.SHOPPER, roles.CREDIT_CARD_ADMIN, company="globex")
    await member(proxied_market, "mg-foreign", "mg-foreigner")
    yield proxied_market


async def test_whoever_has_left_a_group_pays_with_nothing_of_it(funded: Proxied, tally: Tally) -> None:
    at = funded
    await at.newcomer("mg-leaver")
    await member(at, "mg-group", "mg-leaver")
    async with signed_in(at, "mg-leaver") as inside:
        assert (await inside.checkout.PlaceOrder(order("MG-1"))).order.status == order_pb2.ORDER_STATUS_OPEN
        await inside.checkout.PlaceOrder(order("MG-2"))
        for id in ("MG-3", "MG-4"):
            await ready(inside, id, by_both(id), tape=3)
        await ready(inside, "MG-5", [], tape=3)
    old = (await at.issue(by_password("mg-leaver"))).access_token
    await member(at, "mg-group", "mg-leaver", leaves=True)
    assert await at.seen(old) == "TOKEN_REVOKED"
    voided = payment_service_pb2.VoidPaymentRequest(payment_id="MG-2-c")
    await at.owner.payments.VoidPayment(voided)
    async with signed_in(at, "mg-leaver") as left:
        assert await refusals(left.checkout.PlaceOrder(order("MG-6"))) == NOTHING
        assert await refusals(left.checkout.SubmitOrder(checkout.SubmitOrderRequest(order_id="MG-3"))) == NOTHING
        assert await refusals(at.owner.checkout.SubmitOrder(checkout.SubmitOrderRequest(order_id="MG-4"))) == NOTHING
        added = checkout.AddPaymentsRequest(order_id="MG-5", payments=by_both("MG-5"))
        assert await refusals(left.checkout.AddPayments(added)) == NOTHING
        assert await refusals(at.owner.checkout.AddPayments(added)) == NOTHING
        replaced = checkout.AddPaymentsRequest(order_id="MG-2", payments=[by_card("MG-2-again")])
        assert await refusals(left.checkout.AddPayments(replaced)) == {"CARD_NOT_FOUND"}
        assert await refusals(at.owner.checkout.AddPayments(replaced)) == {"CARD_NOT_FOUND"}
        seen = await left.spending_accounts.ListSpendingAccounts(accounts.ListSpendingAccountsRequest())
        assert "mg-account" not in {one.id for one in seen.spending_accounts}
        get = accounts.GetSpendingAccountRequest(spending_account_id="mg-account")
        assert await refusals(left.spending_accounts.GetSpendingAccount(get)) == {"RESOURCE_NOT_FOUND"}
        get_card = cards.GetCreditCardRequest(credit_card_id="mg-card")
        assert await refusals(left.credit_cards.GetCreditCard(get_card)) == {"RESOURCE_NOT_FOUND"}
    tally.count("payments by means of a group that was left", 11)


async def test_a_group_of_another_company_is_like_one_that_is_not_there(funded: Proxied, tally: Tally) -> None:
    at = funded
    for group in ("mg-foreign", "mg-nowhere", "purchasing"):
        await assign(at.owner, group)
    async with signed_in(at, "mg-foreigner") as foreigner:
        assert await refusals(foreigner.checkout.PlaceOrder(order("MG-F1"))) == NOTHING
        for group in ("mg-foreign", "mg-group", "mg-nowhere"):
            assert await refusals(assign_card(foreigner, group)) == {"CARD_NOT_FOUND"}
            await unassign_card(foreigner, group)
            assert await refusals(assign(foreigner, group)) == {"PARTY_NOT_ADMITTED"}
        get = cards.GetCreditCardRequest(credit_card_id="mg-card")
        assert await refusals(foreigner.credit_cards.GetCreditCard(get)) == {"RESOURCE_NOT_FOUND"}
        # Nor can it bring somebody of the other company into its group, or itself into the other's.
        for group, user in (("mg-group", "mg-foreigner"), ("mg-foreign", "ada")):
            request = groups.AddUserGroupMembersRequest(members=[groups.UserGroupMember(user_group_id=group, user_id=user)])
            assert await refusals(foreigner.user_groups.AddUserGroupMembers(request)) == {"ROLE_MISSING"}
            assert await refusals(at.owner.user_groups.AddUserGroupMembers(request)) & {"USER_NOT_FOUND", "USER_GROUP_NOT_FOUND"}
    # All that it has tried to take back stands.
    await at.newcomer("mg-stays")
    await member(at, "mg-group", "mg-stays")
    async with signed_in(at, "mg-stays") as stays:
        assert (await stays.checkout.PlaceOrder(order("MG-F2"))).order.status == order_pb2.ORDER_STATUS_OPEN
    tally.count("means of another company, by groups", 15)


async def test_a_group_that_was_deleted_pays_nothing_and_does_not_come_back(funded: Proxied, tally: Tally) -> None:
    at = funded
    await at.newcomer("mg-orphan")
    group = groups.UserGroup(id="mg-doomed", name="D", party=party("BUYER", "acme"))
    await at.owner.user_groups.CreateUserGroup(groups.CreateUserGroupRequest(user_group=group))
    await assign(at.owner, "mg-doomed")
    await member(at, "mg-doomed", "mg-orphan")
    async with signed_in(at, "mg-orphan") as inside:
        await ready(inside, "MG-D1", by_both("MG-D1"), tape=3)
    await member(at, "mg-doomed", "mg-orphan", leaves=True)
    await at.owner.user_groups.DeleteUserGroup(groups.DeleteUserGroupRequest(user_group_id="mg-doomed"))
    async with signed_in(at, "mg-orphan") as orphan:
        assert await refusals(orphan.checkout.SubmitOrder(checkout.SubmitOrderRequest(order_id="MG-D1"))) == NOTHING
        assert await refusals(orphan.checkout.PlaceOrder(order("MG-D2"))) == NOTHING
    for company in ("acme", "globex"):
        again = groups.UserGroup(id="mg-doomed", name="D", party=party("BUYER", company))
        made = at.owner.user_groups.CreateUserGroup(groups.CreateUserGroupRequest(user_group=again))
        assert await refusals(made) == {"ID_OF_DELETED"}
    tally.count("payments by means of a group that was deleted", 4)


async def test_a_token_stays_small_however_many_groups_its_user_is_in(funded: Proxied, tally: Tally) -> None:
    at = funded
    await at.newcomer("mg-crowd")
    schedule = prices.PriceSchedule(
        id="mg-price", name="P", currency="USD", price_breaks=[prices.PriceBreak(quantity=1, price=money("0.01", "USD"))]
    )
    await at.owner.price_schedules.CreatePriceSchedule(prices.CreatePriceScheduleRequest(price_schedule=schedule))
    given = prices.PriceAssignment(
        product_id="tape", buyer_id="acme", price_schedule_id="mg-price", user_group_id="mg-crowd-00000"
    )
    await at.owner.price_schedules.AssignPriceSchedules(prices.AssignPriceSchedulesRequest(assignments=[given]))
    ids = [f"mg-crowd-{n:05}" for n in range(MANY - 1)]
    for begin in range(0, len(ids), 1_000):
        some = ids[begin : begin + 1_000]
        made = [groups.UserGroup(id=id, name=id, party=party("BUYER", "acme")) for id in some]
        await at.owner.user_groups.BatchCreateUserGroups(groups.BatchCreateUserGroupsRequest(user_groups=made))
        joined = [groups.UserGroupMember(user_group_id=id, user_id="mg-crowd") for id in some]
        await at.owner.user_groups.AddUserGroupMembers(groups.AddUserGroupMembersRequest(members=joined))
    await member(at, "mg-group", "mg-crowd")
    token = (await at.issue(by_password("mg-crowd"))).access_token
    claims = claims_of(token)
    assert (len(token) < TOKEN_LENGTH, claims["groups_cut"], "groups" in claims) == (True, True, False)
    async with signed_in(at, "mg-crowd") as crowd:
        placed = (await crowd.checkout.PlaceOrder(order_of_crowd())).order
        assert placed.status == order_pb2.ORDER_STATUS_OPEN
        assert placed.subtotal == money("0.03", "USD")
        await crowd.credit_cards.GetCreditCard(cards.GetCreditCardRequest(credit_card_id="mg-card"))
    await member(at, "mg-group", "mg-crowd", leaves=True)
    assert await at.seen(token) == "TOKEN_REVOKED"
    async with signed_in(at, "mg-crowd") as crowd:
        assert await refusals(crowd.checkout.PlaceOrder(order("MG-C2"))) == NOTHING
    tally.count("tokens of who is in 20,000 groups", 3)


def order_of_crowd() -> checkout.PlaceOrderRequest:
    """Paid by the group's card alone."""
    request = order("MG-C1")
    del request.payments[0]
    return request
