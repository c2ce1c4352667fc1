"""What operators see of money that may not be where it should be, and what asking about it does."""

from __future__ import annotations

from typing import Any

import pytest

from libs.errors import WaybillError
from services import roles
from tests.integration.payment.world import World, by_card, capture, from_account, held_at_gateway, state, transactions
from tests.support.principals import buyer, refusal_of, seller
from waybill.payment.v1 import reconciliation_service_pb2 as pb
from waybill.payment.v1 import reconciliation_service_pb2_grpc as pb_grpc


def stub(world: World, caller: Any = None) -> Any:
    return world.served.stub(pb_grpc.ReconciliationServiceStub, caller or seller(roles.OPERATIONS_ADMIN))


async def unsettled(world: World, filter: str = "", **more: Any) -> list[Any]:
    request = pb.ListUnsettledPaymentsRequest(filter=filter, **more)
    return list((await stub(world).ListUnsettledPayments(request)).payments)


async def reconciled(world: World, *ids: str) -> list[tuple[str, bool]]:
    answer = await stub(world).ReconcilePayments(pb.ReconcilePaymentsRequest(payment_ids=ids))
    return [(state(one.payment), one.settled) for one in answer.payments]


async def test_a_void_that_was_not_answered_is_listed_until_it_is_reconciled(world: World) -> None:
    await world.card("tok_late_void")
    await world.account()
    order = world.order(100)
    await order.add(by_card("p1", "tok_late_void", 60), from_account("p2", "gift"))
    await order.reserve()
    await order.authorize()
    await order.release()
    (found,) = await unsettled(world)
    assert (found.id, state(found), transactions(found)[-1]) == ("p1", "VOID_PENDING", "VOID PENDING")
    assert await unsettled(world, "state = ATTENTION") == []
    assert await reconciled(world, "p1", "p2") == [("OPEN", True), ("OPEN", True)]
    assert (await unsettled(world), await held_at_gateway(world)) == ([], [])
    assert await reconciled(world, "p1") == [("OPEN", True)]


@pytest.mark.parametrize(("decision", "ends"), [("REFUSED", ("OPEN", True)), ("TRYING", ("AUTHORIZING", False))])
async def test_an_authorization_that_was_not_answered_ends_as_its_attempt_was_decided(
    world: World, decision: str, ends: tuple[str, bool]
) -> None:
    await world.card("tok_timeout")
    order = world.order(100)
    world.orders.states[str(order.key)] = decision
    await order.add(by_card("p1", "tok_timeout"))
    await order.reserve()
    assert (await order.authorize()).pending
    assert [state(p) for p in await unsettled(world)] == ["AUTHORIZING"]
    assert await reconciled(world, "p1") == [ends]
    world.orders.states[str(order.key)] = "REFUSED"
    assert await reconciled(world, "p1") == [("OPEN", True)]


async def test_what_needs_a_person_is_listed_and_stays_so(world: World) -> None:
    await world.card("tok_decline_refund")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_decline_refund"))
    await capture(world, "p1")
    await order.void()
    assert [p.id for p in await unsettled(world, "state = ATTENTION")] == ["p1"]
    assert await reconciled(world, "p1") == [("ATTENTION", False)]


async def test_a_capture_that_was_not_answered_is_found_by_its_key(world: World) -> None:
    await world.card("tok_late_capture")
    order = world.order(100)
    await order.opened(by_card("p1", "tok_late_capture"))
    with pytest.raises(WaybillError):
        await capture(world, "p1", 100)
    assert [transactions(p)[-1] for p in await unsettled(world)] == ["CAPTURE PENDING"]
    assert await reconciled(world, "p1") == [("CAPTURED", True)]


async def test_lists_have_pages_and_unknown_payments_are_listed(world: World) -> None:
    await world.card("tok_late_void")
    for number in range(3):
        order = world.order(100)
        await order.add(by_card(f"p{number}", "tok_late_void"))
        await order.reserve()
        await order.authorize()
        await order.release()
    first = await stub(world).ListUnsettledPayments(pb.ListUnsettledPaymentsRequest(page_size=2))
    (last,) = await unsettled(world, page_size=2, page_token=first.next_page_token)
    assert sorted([last.id, *(p.id for p in first.payments)]) == ["p0", "p1", "p2"]
    for ids, reason in (([], "FIELD_REQUIRED"), (["p0", "nobody"], "RESOURCE_NOT_FOUND"), (["no id"], "ID_INVALID")):
        with pytest.raises(WaybillError) as refused:
            await reconciled(world, *ids)
        assert refused.value.reason == reason


async def test_reconciling_is_for_operators_of_the_marketplaces_owner(world: World) -> None:
    for caller in (seller(roles.PAYMENT_ADMIN), buyer(roles.FULL_ACCESS)):
        for call, request in (
            ("ListUnsettledPayments", pb.ListUnsettledPaymentsRequest()),
            ("ReconcilePayments", pb.ReconcilePaymentsRequest()),
        ):
            with pytest.raises(WaybillError) as refused:
                await getattr(stub(world, caller), call)(request)
            assert refused.value.metadata == refusal_of(caller, roles.OPERATIONS_ADMIN)[1]
