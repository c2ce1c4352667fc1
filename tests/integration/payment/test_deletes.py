"""Means of payment are deleted while no money depends on them."""

from __future__ import annotations

import pytest

from libs.errors import Kind, WaybillError
from services import roles
from tests.integration.payment.test_accounts_and_cards import account, adjust, create
from tests.integration.payment.world import World, by_card
from tests.support.principals import buyer, refusal_of, seller
from waybill.payment.v1 import credit_card_service_pb2 as card_pb
from waybill.payment.v1 import spending_account_service_pb2 as pb


async def deleted(world: World, id: str = "gift", **more) -> str:
    """DeleteSpendingAccount; what hinders it, if anything."""
    try:
        await world.accounts().DeleteSpendingAccount(pb.DeleteSpendingAccountRequest(spending_account_id=id, **more))
    except WaybillError as error:
        assert (error.kind, error.reason) == (Kind.PRECONDITION, "RESOURCE_IN_USE")
        return error.metadata["used_by"]
    return ""


async def test_an_account_that_never_had_money_is_deleted_once_nobody_may_use_it(world: World) -> None:
    await create(world, account(), request_id="c1")
    everyone = pb.SpendingAccountAssignment(spending_account_id="gift")
    await world.accounts().AssignSpendingAccounts(pb.AssignSpendingAccountsRequest(assignments=[everyone]))
    assert await deleted(world) == "assignment: 1 (everyone)"

    await world.accounts().UnassignSpendingAccounts(pb.UnassignSpendingAccountsRequest(assignments=[everyone]))
    assert await deleted(world, etag="1") == ""

    with pytest.raises(WaybillError) as gone:
        await create(world, account(), request_id="c1")
    assert gone.value.kind is Kind.MISSING
    with pytest.raises(WaybillError) as taken:
        await create(world, account())
    assert taken.value.reason == "ID_OF_DELETED"


async def test_an_account_that_ever_had_money_stays(world: World) -> None:
    await create(world, account())
    await adjust(world, 5)
    await adjust(world, -5)
    assert (await deleted(world)).startswith("ledger entry: 2 (mov_")


async def test_only_the_sellers_account_administrators_delete_accounts(world: World) -> None:
    for caller in (buyer(roles.SPENDING_ACCOUNT_ADMIN), seller(roles.PAYMENT_ADMIN)):
        with pytest.raises(WaybillError) as refused:
            await world.accounts(caller).DeleteSpendingAccount(pb.DeleteSpendingAccountRequest(spending_account_id="gift"))
        assert (refused.value.reason, refused.value.metadata) == refusal_of(caller, roles.SPENDING_ACCOUNT_ADMIN)


async def test_a_card_that_is_being_paid_with_stays_until_nothing_is_held(world: World) -> None:
    await world.card()
    order = world.order(100)
    await order.add(by_card("p1", "tok_approve"))
    await order.reserve()
    request = card_pb.DeleteCreditCardRequest(credit_card_id="tok_approve")
    with pytest.raises(WaybillError) as refused:
        await world.cards().DeleteCreditCard(request)
    assert refused.value.metadata["used_by"] == "payment: 1 (p1)"

    await order.release()
    await world.cards().DeleteCreditCard(request)
