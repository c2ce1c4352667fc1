"""Spending accounts, cards on file and the ledger: the standard methods, who sees what, and what is never stored."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from libs.errors import Kind, WaybillError
from libs.protoconv import time_out
from services import roles
from services.payment.adapters.db.tables import CARDS
from tests.integration.payment.world import World, capture, from_account, refund, units, usd
from tests.support.logs import log
from tests.support.principals import buyer, refusal_of, seller, supplier
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import ledger_service_pb2 as ledger_pb
from waybill.payment.v1 import spending_account_service_pb2 as pb

__all__ = ["log"]
PAN = "4242 4242 4242 4242"


def account(id: str = "gift", **more) -> pb.SpendingAccount:
    """A valid account."""
    values = {"name": "Gift", "buyer_id": "acme", "currency": "USD", "active": True, **more}
    return pb.SpendingAccount(id=id, **values)


async def create(world: World, made: pb.SpendingAccount, caller=None, request_id: str = "") -> pb.SpendingAccount:
    """CreateSpendingAccount."""
    request = pb.CreateSpendingAccountRequest(spending_account=made, request_id=request_id)
    return (await world.accounts(caller).CreateSpendingAccount(request)).spending_account


async def adjust(world: World, amount: int, request_id: str = "", caller=None) -> pb.SpendingAccount:
    """AdjustSpendingAccount."""
    request = pb.AdjustSpendingAccountRequest(
        spending_account_id="gift", amount=usd(amount), description="because", request_id=request_id
    )
    return (await world.accounts(caller).AdjustSpendingAccount(request)).spending_account


async def test_a_balance_is_the_sum_of_ledger_entries(world: World) -> None:
    made = await create(world, account(opening_balance=usd(50)), request_id="r1")
    assert (units(made.balance), units(made.reserved)) == (50, 0)
    assert await create(world, account(opening_balance=usd(50)), request_id="r1") == made
    assert units((await adjust(world, 25, "r2")).balance) == 75
    assert units((await adjust(world, 25, "r2")).balance) == 75
    assert units((await adjust(world, -70)).balance) == 5
    entries = await world.entries('account = "spending_account:gift"')
    assert [(units(e.amount), e.description) for e in entries] == [(50, "opening balance"), (25, "because"), (-70, "because")]
    assert [(e.user_id, e.request_id) for e in entries] == [("admin", "r1"), ("admin", "r2"), ("admin", "")]
    assert sum(units(e.amount) for e in await world.entries()) == 0


async def test_an_account_ends_after_it_begins(world: World) -> None:
    now = world.clock.now()
    begins, before = time_out(now), time_out(now - timedelta(days=1))
    with pytest.raises(WaybillError) as refused:
        await create(world, account(start_time=begins, end_time=before, name=""))
    assert {(f.field, f.reason) for f in refused.value.fields} == {
        ("spending_account.end_time", "ACCOUNT_TIMES_REVERSED"),
        ("spending_account.name", "FIELD_REQUIRED"),
    }
    await create(world, account(start_time=begins))
    with pytest.raises(WaybillError) as refused:
        await world.accounts().UpdateSpendingAccount(
            pb.UpdateSpendingAccountRequest(spending_account=pb.SpendingAccount(id="gift", end_time=begins))
        )
    assert refused.value.reason == "ACCOUNT_TIMES_REVERSED"


async def test_no_more_is_taken_from_a_balance_than_is_free(world: World) -> None:
    await world.account(balance=50)
    order = world.order(30)
    await order.add(from_account("p1", "gift"))
    await order.reserve()
    with pytest.raises(WaybillError) as refused:
        await adjust(world, -21)
    assert (refused.value.reason, refused.value.metadata) == ("BALANCE_EXCEEDED", {"spending_account": "gift"})
    await adjust(world, -20)
    await order.confirm()
    assert await world.balance() == (0, 0)


async def test_wrong_accounts_are_refused_with_every_reason(world: World) -> None:
    wrong = account("bad id", name="", currency="XXQ", buyer_id="", opening_balance=usd(-1))
    with pytest.raises(WaybillError) as refused:
        await create(world, wrong)
    assert {f.field.removeprefix("spending_account.") for f in refused.value.fields} == {
        "id",
        "name",
        "currency",
        "buyer_id",
        "opening_balance",
    }
    with pytest.raises(WaybillError) as refused:
        await world.accounts().BatchCreateSpendingAccounts(
            pb.BatchCreateSpendingAccountsRequest(
                spending_accounts=[account("a", opening_balance=usd(1)), account("a"), account("c", name="")]
            )
        )
    assert {f.field for f in refused.value.fields} == {"spending_accounts[1].id", "spending_accounts[2].name"}
    assert await world.entries() == []


async def test_many_accounts_are_created_at_once(world: World) -> None:
    made = await world.accounts().BatchCreateSpendingAccounts(
        pb.BatchCreateSpendingAccountsRequest(spending_accounts=[account(f"a{i}", opening_balance=usd(i)) for i in range(300)])
    )
    assert [units(a.balance) for a in made.spending_accounts] == list(range(300))
    assert len(await world.entries()) == 2 * 299


async def test_an_account_is_changed_by_mask_and_etag(world: World) -> None:
    made = await create(world, account(opening_balance=usd(5)))
    update = pb.UpdateSpendingAccountRequest(
        spending_account=pb.SpendingAccount(id="gift", name="New", etag=made.etag), update_mask=FieldMask(paths=["name"])
    )
    changed = (await world.accounts().UpdateSpendingAccount(update)).spending_account
    assert (changed.name, units(changed.balance)) == ("New", 5)
    with pytest.raises(WaybillError) as stale:
        await world.accounts().UpdateSpendingAccount(update)
    assert stale.value.reason == "ETAG_MISMATCH"
    for path, value in (("balance", account()), ("currency", account(currency="EUR"))):
        with pytest.raises(WaybillError) as fixed:
            await world.accounts().UpdateSpendingAccount(
                pb.UpdateSpendingAccountRequest(spending_account=value, update_mask=FieldMask(paths=[path]))
            )
        assert fixed.value.kind is Kind.INVALID


async def test_buyers_see_the_accounts_that_are_assigned_to_them(world: World) -> None:
    await world.account("all")
    await world.account("annas", user="anna")
    await world.account("bobs", user="bob")

    async def seen(caller) -> list[str]:
        page = await world.accounts(caller).ListSpendingAccounts(pb.ListSpendingAccountsRequest(order_by="id"))
        return [a.id for a in page.spending_accounts]

    assert await seen(buyer()) == ["all", "annas"]
    assert await seen(buyer(user="bob")) == ["all", "bobs"]
    assert await seen(buyer(party="other")) == []
    with pytest.raises(WaybillError) as refused:
        await seen(supplier())
    assert (refused.value.reason, refused.value.metadata) == ("PARTY_NOT_ADMITTED", {"parties": "SELLER, BUYER"})
    assert await seen(seller()) == ["all", "annas", "bobs"]
    with pytest.raises(WaybillError) as hidden:
        await world.accounts(buyer()).GetSpendingAccount(pb.GetSpendingAccountRequest(spending_account_id="bobs"))
    assert hidden.value.kind is Kind.MISSING


async def test_only_the_sellers_administrators_make_money(world: World) -> None:
    await world.account()
    for caller in (seller(roles.ORDER_ADMIN), buyer(roles.SPENDING_ACCOUNT_ADMIN), buyer(), supplier()):
        for call in (create(world, account("x"), caller), adjust(world, 5, caller=caller)):
            with pytest.raises(WaybillError) as refused:
                await call
            assert (refused.value.reason, refused.value.metadata) == refusal_of(caller, "SpendingAccountAdmin")
        for call in (capture(world, "p", caller=caller), refund(world, "p", caller=caller)):
            with pytest.raises(WaybillError) as refused:
                await call
            assert refused.value.metadata == refusal_of(caller, "PaymentAdmin")[1]
    for caller in (seller(roles.ORDER_ADMIN), buyer(roles.PAYMENT_ADMIN)):
        with pytest.raises(WaybillError) as refused:
            await world.ledger(caller).ListLedgerEntries(ledger_pb.ListLedgerEntriesRequest())
        assert refused.value.kind is Kind.DENIED


async def test_an_assignment_of_an_unknown_account_stores_none(world: World) -> None:
    await create(world, account())
    assignments = [pb.SpendingAccountAssignment(spending_account_id=id) for id in ("gift", "nowhere")]
    with pytest.raises(WaybillError) as refused:
        await world.accounts().AssignSpendingAccounts(pb.AssignSpendingAccountsRequest(assignments=assignments))
    assert [(f.field, f.reason) for f in refused.value.fields] == [
        ("assignments[1].spending_account_id", "SPENDING_ACCOUNT_NOT_FOUND")
    ]
    page = await world.accounts(buyer()).ListSpendingAccounts(pb.ListSpendingAccountsRequest())
    assert len(page.spending_accounts) == 0


async def test_the_ledger_is_paged_oldest_first(world: World) -> None:
    await create(world, account(opening_balance=usd(1)))
    for _ in range(3):
        await adjust(world, 1)
    first = await world.ledger().ListLedgerEntries(ledger_pb.ListLedgerEntriesRequest(page_size=5))
    rest = await world.ledger().ListLedgerEntries(
        ledger_pb.ListLedgerEntriesRequest(page_size=5, page_token=first.next_page_token)
    )
    numbers = [e.number for e in (*first.entries, *rest.entries)]
    assert len(numbers) == 8
    assert numbers == sorted(set(numbers))
    assert rest.next_page_token == ""


def card(**more) -> card_pb.CreditCard:
    """A valid card."""
    values = {
        "buyer_id": "acme",
        "token": "tok_secret",
        "card_type": "visa",
        "partial_number": "4242",
        "cardholder_name": "Anna",
        "expiration": "2031-04",
        **more,
    }
    return card_pb.CreditCard(**values)


async def keep(world: World, made: card_pb.CreditCard, caller=None) -> card_pb.CreditCard:
    """CreateCreditCard."""
    return (await world.cards(caller).CreateCreditCard(card_pb.CreateCreditCardRequest(credit_card=made))).credit_card


async def test_a_token_is_stored_but_never_shown(log: io.StringIO, world: World) -> None:
    made = await keep(world, card(id="c1"))
    got = (await world.cards().GetCreditCard(card_pb.GetCreditCardRequest(credit_card_id="c1"))).credit_card
    listed = await world.cards().ListCreditCards(card_pb.ListCreditCardsRequest())
    assert made == got == listed.credit_cards[0]
    assert (got.token, got.partial_number, got.expiration) == ("", "4242", "2031-04")
    async with world.database.reading() as tx:
        assert (await tx.execute(sa.select(CARDS.c.token))).scalar() == "tok_secret"
    with pytest.raises(WaybillError):
        await world.cards().ListCreditCards(card_pb.ListCreditCardsRequest(filter='token = "tok_secret"'))
    assert "tok_secret" not in log.getvalue()


@pytest.mark.parametrize(
    "wrong",
    [
        {"card_type": f"visa {PAN}"},
        {"partial_number": "424242424242"},
        {"cardholder_name": "4242-4242-4242-4242"},
        {"token": PAN},
        {"token": "4242424242424242"},
        {"id": "4242424242424242"},
    ],
)
async def test_a_card_number_is_refused_wherever_it_stands(world: World, wrong: dict[str, str]) -> None:
    with pytest.raises(WaybillError) as refused:
        await keep(world, card(**wrong))
    assert refused.value.reason == "CARD_NUMBER_REFUSED"
    assert refused.value.metadata["field"] == f"credit_card.{next(iter(wrong))}"
    async with world.database.reading() as tx:
        assert (await tx.execute(sa.select(CARDS.c.id))).all() == []


async def test_everything_wrong_with_a_card_is_reported_at_once(world: World) -> None:
    made = card_pb.CreditCard(id="4242424242424242", token="tok", partial_number="424242", expiration="soon")
    with pytest.raises(WaybillError) as refused:
        await world.cards().CreateCreditCard(card_pb.CreateCreditCardRequest(credit_card=made))
    assert {(f.field, f.reason) for f in refused.value.fields} == {
        ("credit_card.id", "CARD_NUMBER_REFUSED"),
        ("credit_card.buyer_id", "FIELD_REQUIRED"),
        ("credit_card.partial_number", "VALUE_OUT_OF_RANGE"),
        ("credit_card.expiration", "FIELD_INVALID"),
    }


async def test_a_card_number_in_xp_is_refused(world: World) -> None:
    made = card()
    made.xp.update({"note": [{"number": 4242424242424242}]})
    with pytest.raises(WaybillError) as refused:
        await keep(world, made)
    assert refused.value.metadata["field"] == "credit_card.xp"


async def test_users_see_their_own_and_their_companys_cards(world: World) -> None:
    await keep(world, card(id="company"))
    own = buyer(roles.SHOPPER, roles.ME_CREDIT_CARD_ADMIN)
    made = await keep(world, card(id="annas", buyer_id=""), own)
    assert (made.buyer_id, made.user_id) == ("acme", "anna")
    await keep(world, card(id="bobs", user_id="bob"))

    async def seen(caller) -> list[str]:
        page = await world.cards(caller).ListCreditCards(card_pb.ListCreditCardsRequest(order_by="id"))
        return [c.id for c in page.credit_cards]

    assert await seen(buyer()) == ["annas", "company"]
    assert await seen(buyer(user="bob")) == ["bobs", "company"]
    assert await seen(buyer(party="other")) == []
    for stranger, reason in ((supplier(), "PARTY_NOT_ADMITTED"), (seller(roles.ORDER_ADMIN), "ROLE_MISSING")):
        with pytest.raises(WaybillError) as refused:
            await seen(stranger)
        assert refused.value.reason == reason
    assert await seen(seller()) == ["annas", "bobs", "company"]

    for id, caller, kind in (
        ("company", own, Kind.MISSING),
        ("bobs", own, Kind.MISSING),
        ("annas", buyer(), Kind.DENIED),
        ("annas", supplier(roles.CREDIT_CARD_ADMIN), Kind.DENIED),
    ):
        with pytest.raises(WaybillError) as refused:
            await world.cards(caller).DeleteCreditCard(card_pb.DeleteCreditCardRequest(credit_card_id=id))
        assert refused.value.kind is kind
    await world.cards(own).DeleteCreditCard(card_pb.DeleteCreditCardRequest(credit_card_id="annas"))
    assert await seen(buyer()) == ["company"]


async def test_nobody_keeps_cards_of_others(world: World) -> None:
    own = buyer(roles.ME_CREDIT_CARD_ADMIN)
    for made, caller, kind in (
        (card(buyer_id="other"), own, Kind.MISSING),
        (card(user_id="bob"), own, Kind.MISSING),
        (card(), buyer(), Kind.DENIED),
        (card(), supplier(roles.CREDIT_CARD_ADMIN), Kind.DENIED),
        (card(), seller(roles.ME_CREDIT_CARD_ADMIN), Kind.DENIED),
        (card(buyer_id=""), seller(), Kind.INVALID),
    ):
        with pytest.raises(WaybillError) as refused:
            await keep(world, made, caller)
        assert refused.value.kind is kind
