"""A group's spending account and card, from the assignment to the order that is paid by them."""

from __future__ import annotations

import pytest

from services.host.sample.marketplace import PASSWORD, SHOP, party
from tests.support.marketplace import Marketplace
from waybill.directory.v1 import user_group_service_pb2 as group_pb
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import payment_pb2
from waybill.payment.v1 import spending_account_service_pb2 as account_pb
from waybill_client import AsyncWaybill, WaybillError, money

GROUP = "expedition"


async def member(owner: AsyncWaybill, *users: str, leaves: bool = False) -> None:
    members = [group_pb.UserGroupMember(user_group_id=GROUP, user_id=user) for user in users]
    if leaves:
        await owner.user_groups.RemoveUserGroupMembers(group_pb.RemoveUserGroupMembersRequest(members=members))
    else:
        await owner.user_groups.AddUserGroupMembers(group_pb.AddUserGroupMembersRequest(members=members))


def checkout(id: str) -> checkout_service_pb2.PlaceOrderRequest:
    """Five by the group's account, the rest by its card."""
    payments = [
        payment_pb2.Payment(id=f"{id}-A", type="spending_account", spending_account_id="kitty", amount=money("5.00", "USD")),
        payment_pb2.Payment(id=f"{id}-C", type="credit_card", credit_card_id="shared"),
    ]
    lines = [line_item_pb2.LineItem(id="l1", product_id="tape", quantity=3)]
    return checkout_service_pb2.PlaceOrderRequest(order=order_pb2.Order(id=id), line_items=lines, payments=payments)


def shopper(market: Marketplace, name: str) -> AsyncWaybill:
    """Signed in anew, so that its token names the groups of this moment."""
    return AsyncWaybill(market.address, SHOP, username=name, password=PASSWORD)


async def test_members_pay_by_what_their_group_may_use_and_nobody_else(sqlite_market: Marketplace) -> None:
    owner = sqlite_market.people.owner
    group = group_pb.UserGroup(id=GROUP, name="Expedition", party=party("BUYER", "acme"))
    await owner.user_groups.CreateUserGroup(group_pb.CreateUserGroupRequest(user_group=group))
    account = account_pb.SpendingAccount(
        id="kitty", name="Kitty", buyer_id="acme", currency="USD", active=True, opening_balance=money("50.00", "USD")
    )
    await owner.spending_accounts.CreateSpendingAccount(account_pb.CreateSpendingAccountRequest(spending_account=account))
    card = card_pb.CreditCard(id="shared", buyer_id="acme", token="tok_approve", card_type="visa", partial_number="4242")
    await owner.credit_cards.CreateCreditCard(card_pb.CreateCreditCardRequest(credit_card=card))
    to_account = account_pb.SpendingAccountAssignment(spending_account_id="kitty", user_group_id=GROUP)
    await owner.spending_accounts.AssignSpendingAccounts(account_pb.AssignSpendingAccountsRequest(assignments=[to_account]))
    to_card = card_pb.CreditCardAssignment(credit_card_id="shared", user_group_id=GROUP)
    await owner.credit_cards.AssignCreditCards(card_pb.AssignCreditCardsRequest(assignments=[to_card]))

    await member(owner, "ada")
    async with shopper(sqlite_market, "ada") as ada, shopper(sqlite_market, "bob") as bob:
        placed = await ada.checkout.PlaceOrder(checkout("KITTY-1"))
        assert placed.order.status == order_pb2.ORDER_STATUS_OPEN
        listed = await ada.spending_accounts.ListSpendingAccounts(account_pb.ListSpendingAccountsRequest())
        (kitty,) = [one for one in listed.spending_accounts if one.id == "kitty"]
        assert kitty.balance == money("45.00", "USD")
        with pytest.raises(WaybillError) as refused:
            await bob.checkout.PlaceOrder(checkout("KITTY-2"))
        assert {rule.reason for rule in refused.value.rules} == {"SPENDING_ACCOUNT_NOT_FOUND", "CARD_NOT_FOUND"}
        with pytest.raises(WaybillError) as hidden:
            await bob.credit_cards.GetCreditCard(card_pb.GetCreditCardRequest(credit_card_id="shared"))
        assert hidden.value.reason == "RESOURCE_NOT_FOUND"

        # Whoever leaves the group has nothing of it any more, and its order keeps what it holds.
        await member(owner, "ada", leaves=True)
        async with shopper(sqlite_market, "ada") as left:
            with pytest.raises(WaybillError) as lost:
                await left.checkout.PlaceOrder(checkout("KITTY-3"))
            assert {rule.reason for rule in lost.value.rules} == {"SPENDING_ACCOUNT_NOT_FOUND", "CARD_NOT_FOUND"}
            with pytest.raises(WaybillError) as gone:
                await left.spending_accounts.GetSpendingAccount(account_pb.GetSpendingAccountRequest(spending_account_id="kitty"))
            assert gone.value.reason == "RESOURCE_NOT_FOUND"
    # What is assigned to it does not keep the group, and means nobody from then on.
    await owner.user_groups.DeleteUserGroup(group_pb.DeleteUserGroupRequest(user_group_id=GROUP))
