"""Roles that read cards and accounts, and neither write nor pay with them."""

from __future__ import annotations

import pytest

from libs.errors import WaybillError
from services import roles
from tests.integration.payment.test_means_of_groups import assign, cards, of_card
from tests.integration.payment.world import World, by_card
from tests.support.principals import buyer, seller
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import ledger_service_pb2 as ledger_pb
from waybill.payment.v1 import spending_account_service_pb2 as pb


async def test_a_reader_of_cards_sees_all_of_its_company_and_pays_with_none_of_others(world: World) -> None:
    for token, user, company in (("tok_approve", "", "acme"), ("tok_bob", "bob", "acme"), ("tok_gil", "gil", "other")):
        await world.card(token, user=user, buyer_id=company)
    await assign(world, of_card("tok_approve", user="bob"))
    reader, everyones = buyer(roles.CREDIT_CARD_READER), seller(roles.CREDIT_CARD_READER)
    assert await cards(world, reader) == ["tok_approve", "tok_bob"]
    assert await cards(world, everyones) == ["tok_approve", "tok_bob", "tok_gil"]
    for caller in (reader, everyones):
        for call in (
            world.cards(caller).DeleteCreditCard(card_pb.DeleteCreditCardRequest(credit_card_id="tok_bob")),
            world.cards(caller).UpdateCreditCard(card_pb.UpdateCreditCardRequest(credit_card=card_pb.CreditCard(id="tok_bob"))),
            world.cards(caller).CreateCreditCard(card_pb.CreateCreditCardRequest(credit_card=card_pb.CreditCard(token="t"))),
            assign(world, of_card("tok_approve", user="anna"), caller=caller),
        ):
            with pytest.raises(WaybillError) as refused:
                await call
            assert (refused.value.reason, refused.value.metadata) == ("ROLE_MISSING", {"role": roles.CREDIT_CARD_ADMIN})
    world.acting = reader
    for token in ("tok_approve", "tok_bob"):
        with pytest.raises(WaybillError) as unpayable:
            await world.order(5).add(by_card("p", token))
        assert unpayable.value.reason == "CARD_NOT_FOUND"


async def test_a_reader_of_cards_who_keeps_own_ones_writes_these_alone(world: World) -> None:
    both = buyer(roles.CREDIT_CARD_READER, roles.ME_CREDIT_CARD_ADMIN)
    await world.card("tok_approve", user="anna")
    await world.card("tok_bob", user="bob")
    with pytest.raises(WaybillError) as refused:
        await world.cards(both).DeleteCreditCard(card_pb.DeleteCreditCardRequest(credit_card_id="tok_bob"))
    assert refused.value.reason == "RESOURCE_NOT_FOUND"
    await world.cards(both).DeleteCreditCard(card_pb.DeleteCreditCardRequest(credit_card_id="tok_approve"))
    assert await cards(world, both) == ["tok_bob"]


async def test_a_reader_of_accounts_reads_them_and_their_ledger(world: World) -> None:
    await world.account("forge", 100, user="bob")
    reader = seller(roles.SPENDING_ACCOUNT_READER)
    page = await world.accounts(reader).ListSpendingAccounts(pb.ListSpendingAccountsRequest())
    assert [account.id for account in page.spending_accounts] == ["forge"]
    assert len((await world.ledger(reader).ListLedgerEntries(ledger_pb.ListLedgerEntriesRequest())).entries) == 2
    with pytest.raises(WaybillError) as refused:
        await world.accounts(reader).DeleteSpendingAccount(pb.DeleteSpendingAccountRequest(spending_account_id="forge"))
    assert refused.value.metadata == {"role": roles.SPENDING_ACCOUNT_ADMIN}
    # A buyer's user reads what it is given, whatever the role is called.
    page = await world.accounts(buyer(roles.SPENDING_ACCOUNT_READER)).ListSpendingAccounts(pb.ListSpendingAccountsRequest())
    assert len(page.spending_accounts) == 0
