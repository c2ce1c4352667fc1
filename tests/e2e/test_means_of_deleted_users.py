"""What a user who was deleted could pay with has no effect any more, and its company's owner finds and removes it."""

from __future__ import annotations

import pytest

from services import roles
from services.host.sample.marketplace import PASSWORD, SHOP, party
from tests.support.marketplace import Marketplace
from waybill.directory.v1 import user_service_pb2 as users
from waybill.payment.v1 import credit_card_service_pb2 as cards
from waybill.payment.v1 import spending_account_service_pb2 as accounts
from waybill_client import AsyncWaybill, WaybillError, money

WHOSE = 'user_id = "leaver"'


def leaver() -> users.CreateUserRequest:
    company = party("BUYER", "acme")
    return users.CreateUserRequest(
        user=users.User(id="leaver", username="leaver", party=company, active=True, password=PASSWORD, roles=[roles.SHOPPER])
    )


async def given(owner: AsyncWaybill) -> None:
    """A card of its own, a card and an account of its company that are assigned to it."""
    for id, user in (("leavers", "leaver"), ("companys", "")):
        card = cards.CreditCard(
            id=id, buyer_id="acme", user_id=user, token="tok_approve", card_type="visa", partial_number="4242"
        )
        await owner.credit_cards.CreateCreditCard(cards.CreateCreditCardRequest(credit_card=card))
    account = accounts.SpendingAccount(
        id="purse", name="Purse", buyer_id="acme", currency="USD", active=True, opening_balance=money("50.00", "USD")
    )
    await owner.spending_accounts.CreateSpendingAccount(accounts.CreateSpendingAccountRequest(spending_account=account))
    of_card = cards.CreditCardAssignment(credit_card_id="companys", user_id="leaver")
    await owner.credit_cards.AssignCreditCards(cards.AssignCreditCardsRequest(assignments=[of_card]))
    of_account = accounts.SpendingAccountAssignment(spending_account_id="purse", user_id="leaver")
    await owner.spending_accounts.AssignSpendingAccounts(accounts.AssignSpendingAccountsRequest(assignments=[of_account]))


async def left(owner: AsyncWaybill) -> tuple[list[str], list[str], list[str]]:
    """By the user's id: its cards, and what cards and accounts are assigned to it."""
    own = await owner.credit_cards.ListCreditCards(cards.ListCreditCardsRequest(filter=WHOSE))
    of_cards = await owner.credit_cards.ListCreditCardAssignments(cards.ListCreditCardAssignmentsRequest(filter=WHOSE))
    asked = accounts.ListSpendingAccountAssignmentsRequest(filter=WHOSE)
    of_accounts = await owner.spending_accounts.ListSpendingAccountAssignments(asked)
    return (
        [card.id for card in own.credit_cards],
        [one.credit_card_id for one in of_cards.assignments],
        [one.spending_account_id for one in of_accounts.assignments],
    )


async def test_what_a_deleted_user_could_pay_with_means_nobody_and_is_found_and_removed(market: Marketplace) -> None:
    owner = market.people.owner
    await owner.users.CreateUser(leaver())
    await given(owner)
    await owner.users.DeleteUser(users.DeleteUserRequest(user_id="leaver"))
    # Nobody signs in as it, and nobody gets its id.
    with pytest.raises(WaybillError) as signing_in:
        async with AsyncWaybill(market.address, SHOP, username="leaver", password=PASSWORD) as gone:
            await gone.credit_cards.ListCreditCards(cards.ListCreditCardsRequest())
    assert signing_in.value.reason == "GRANT_INVALID"
    with pytest.raises(WaybillError) as again:
        await owner.users.CreateUser(leaver())
    assert again.value.reason == "ID_OF_DELETED"
    # It all stands until the owner takes it away, whom nothing hinders.
    assert await left(owner) == (["leavers"], ["companys"], ["purse"])
    await owner.credit_cards.DeleteCreditCard(cards.DeleteCreditCardRequest(credit_card_id="leavers"))
    of_card = cards.CreditCardAssignment(credit_card_id="companys", user_id="leaver")
    await owner.credit_cards.UnassignCreditCards(cards.UnassignCreditCardsRequest(assignments=[of_card]))
    of_account = accounts.SpendingAccountAssignment(spending_account_id="purse", user_id="leaver")
    await owner.spending_accounts.UnassignSpendingAccounts(accounts.UnassignSpendingAccountsRequest(assignments=[of_account]))
    assert await left(owner) == ([], [], [])
    # The company's card stays closed to all others until it is assigned again: nobody gets it by a deletion.
    seen = await market.people.ada.credit_cards.ListCreditCards(cards.ListCreditCardsRequest(filter='id = "companys"'))
    assert list(seen.credit_cards) == []
