"""An order over a limit: who has to approve it does, one after the other, or it comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from tests.e2e.steps import refused
from tests.support.approvers import approve, approver, decline
from tests.support.marketplace import ALL, Marketplace, get
from waybill.fulfillment.v1 import inventory_pb2
from waybill.fulfillment.v1 import inventory_service_pb2 as stock
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so_service
from waybill.order.v1 import approval_pb2, order_pb2, order_service_pb2, submission_pb2
from waybill.order.v1 import approval_rule_service_pb2 as rule_pb
from waybill.order.v1 import approval_service_pb2 as pb
from waybill.order.v1 import checkout_service_pb2 as checkout
from waybill.pricing.v1 import price_schedule_service_pb2 as schedules
from waybill_client import AsyncWaybill, WaybillError, money

HEADS, BOARD = "heads", "board"
RULES = {HEADS: "order.total > money('40')", BOARD: f"approved('{HEADS}') && order.total > money('120')"}
Status = order_pb2.OrderStatus


@dataclass(frozen=True, slots=True)
class Company:
    """Acme, whose orders over 40 dollars its heads approve, and over 120 its board."""

    ada: AsyncWaybill
    hana: AsyncWaybill
    bo: AsyncWaybill


async def company(market: Marketplace) -> Company:
    hana = await approver(market, "hana", HEADS, RULES[HEADS])
    return Company(market.people.ada, hana, await approver(market, "bo", BOARD, RULES[BOARD]))


async def approvals(who: AsyncWaybill, id: str) -> list[tuple[int, str, str]]:
    answer = await who.approvals.ListApprovals(pb.ListApprovalsRequest(order_id=id))
    named = approval_pb2.ApprovalStatus.Name
    return [(a.round, a.approval_rule_id, named(a.status).removeprefix("APPROVAL_STATUS_")) for a in answer.approvals]


async def waiting(who: AsyncWaybill) -> list[tuple[str, str]]:
    answer = await who.approvals.ListPendingApprovals(pb.ListPendingApprovalsRequest())
    return [(one.order.id, one.approval.approval_rule_id) for one in answer.pending_approvals]


async def removed(who: AsyncWaybill, id: str) -> None:
    await who.approval_rules.DeleteApprovalRule(rule_pb.DeleteApprovalRuleRequest(approval_rule_id=id))


async def events(who: AsyncWaybill, id: str) -> list[str]:
    answer = await who.orders.ListOrderHistory(order_service_pb2.ListOrderHistoryRequest(order_id=id, direction=ALL))
    return [event.type for event in answer.events]


@pytest.mark.on_sqlite
async def test_an_order_opens_when_everybody_has_approved_it_one_after_the_other(market: Marketplace) -> None:
    acme = await company(market)
    small = await acme.ada.place_order({"tape": 1}, id="SMALL")
    assert small.status == Status.ORDER_STATUS_OPEN
    placed = await acme.ada.place_order({"lamp": 3}, id="DEAR")
    assert (placed.status, placed.is_submitted) == (Status.ORDER_STATUS_AWAITING_APPROVAL, False)
    assert not placed.HasField("submit_time")
    assert placed.submission.outcome == submission_pb2.SUBMISSION_OUTCOME_AWAITING_APPROVAL
    assert await approvals(acme.ada, "DEAR") == [(1, HEADS, "PENDING")]
    assert (await waiting(acme.hana), await waiting(acme.bo), await waiting(acme.ada)) == ([("DEAR", HEADS)], [], [])
    assert (await refused(approve(acme.ada, "DEAR"))).reason == "NOT_ELIGIBLE_TO_APPROVE"
    assert (await refused(removed(market.people.owner, HEADS))).reason == "RESOURCE_IN_USE"
    assert (await refused(approve(acme.bo, "DEAR"))).reason == "RESOURCE_NOT_FOUND"
    noted = await approve(acme.hana, "DEAR", comment="fine", request_id="one")
    assert noted.status == Status.ORDER_STATUS_AWAITING_APPROVAL
    assert await approve(acme.hana, "DEAR", comment="fine", request_id="one") == noted
    assert (await refused(approve(acme.hana, "DEAR", HEADS))).reason == "APPROVAL_DECIDED"
    assert await approvals(acme.hana, "DEAR") == [(1, HEADS, "APPROVED"), (1, BOARD, "PENDING")]
    await removed(market.people.owner, HEADS)
    opened = await approve(acme.bo, "DEAR", request_id="two")
    assert (opened.status, opened.is_submitted) == (Status.ORDER_STATUS_OPEN, True)
    assert opened.HasField("approve_time")
    assert opened.HasField("submit_time")
    assert await approve(acme.bo, "DEAR", request_id="two") == await get(market.people.owner, "DEAR")
    assert await waiting(acme.bo) == []
    assert [t for t in await events(acme.ada, "DEAR") if "appro" in t] == [
        "order_awaiting_approval",
        "approval_given",
        "approval_begun",
        "order_approved",
    ]
    await market.check()


@pytest.mark.on_sqlite
async def test_an_order_comes_back_and_is_submitted_again_or_is_declined_for_good(market: Marketplace) -> None:
    acme = await company(market)
    await acme.ada.place_order({"lamp": 1, "tape": 1}, id="BACK")
    recalled = await acme.ada.approvals.RecallOrder(pb.RecallOrderRequest(order_id="BACK", comment="typo"))
    assert recalled.order.status == Status.ORDER_STATUS_UNSUBMITTED
    again = await acme.ada.checkout.SubmitOrder(checkout.SubmitOrderRequest(order_id="BACK"))
    assert again.order.status == Status.ORDER_STATUS_AWAITING_APPROVAL
    back = await decline(acme.hana, "BACK", comment="too dear", allow_resubmit=True)
    assert back.status == Status.ORDER_STATUS_UNSUBMITTED
    late = await refused(acme.ada.checkout.SubmitOrder(checkout.SubmitOrderRequest(order_id="BACK")))
    assert late.reason == "SUBMIT_REFUSED"
    await acme.ada.place_order({"lamp": 1, "tape": 1}, id="GONE")
    gone = await decline(acme.hana, "GONE")
    assert (gone.status, gone.HasField("decline_time")) == (Status.ORDER_STATUS_DECLINED, True)
    await acme.ada.place_order({"lamp": 1, "tape": 1}, id="DROPPED")
    await acme.ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="DROPPED"))
    assert await approvals(acme.ada, "BACK") == [(1, HEADS, "WITHDRAWN"), (2, HEADS, "DECLINED")]
    assert await approvals(acme.ada, "DROPPED") == [(1, HEADS, "WITHDRAWN")]
    assert (await refused(approve(acme.hana, "GONE"))).reason == "ORDER_STATUS_CONFLICT"
    await market.check()


@pytest.mark.on_sqlite
async def test_the_last_approval_is_refused_without_stock_and_given_later_at_the_prices_that_were_approved(
    market: Marketplace,
) -> None:
    acme, owner = await company(market), market.people.owner
    placed = await acme.ada.place_order({"lamp": 1, "tape": 1}, id="WAITS")
    listed = await owner.inventory.ListInventoryRecords(stock.ListInventoryRecordsRequest(filter='product_id = "lamp"'))
    taken = {record.id: record.available for record in listed.inventory_records}
    await count(owner, {id: -quantity for id, quantity in taken.items()})
    dearer = schedules.PriceSchedule(id="list-lamp", price_breaks=[schedules.PriceBreak(quantity=1, price=money("99.00", "USD"))])
    await owner.price_schedules.UpdatePriceSchedule(
        schedules.UpdatePriceScheduleRequest(price_schedule=dearer, update_mask={"paths": ["price_breaks"]})
    )
    why = await refused(approve(acme.hana, "WAITS", request_id="early"))
    assert (why.reason, {rule.reason for rule in why.rules}) == ("SUBMIT_REFUSED", {"INSUFFICIENT_INVENTORY"})
    assert why.metadata["next"] == "ApproveOrder"
    assert (await refused(approve(acme.hana, "WAITS", request_id="early"))).reason == "SUBMIT_REFUSED"
    assert await approvals(acme.ada, "WAITS") == [(1, HEADS, "PENDING")]
    await market.check()
    await count(owner, taken)
    opened = await approve(acme.hana, "WAITS", request_id="late")
    assert (opened.status, opened.total) == (Status.ORDER_STATUS_OPEN, placed.total)
    await market.check()


@pytest.mark.on_sqlite
async def test_nobody_approves_without_being_asked_and_one_of_two_at_once_submits_the_order(market: Marketplace) -> None:
    acme, people = await company(market), market.people
    await acme.ada.place_order({"lamp": 1, "tape": 1}, id="ONCE")
    for stranger in (people.sam, people.clerks["lumenworks"]):
        assert (await refused(approve(stranger, "ONCE"))).reason == "PARTY_NOT_ADMITTED"
    answers = await asyncio.gather(*(approve(acme.hana, "ONCE") for _ in range(5)), return_exceptions=True)
    opened = [a for a in answers if isinstance(a, order_pb2.Order)]
    assert [order.status for order in opened] == [Status.ORDER_STATUS_OPEN]
    assert {a.reason for a in answers if isinstance(a, WaybillError)} <= {"SUBMISSION_IN_PROGRESS", "ORDER_STATUS_CONFLICT"}
    supplied = await people.sam.supplier_orders.ListSupplierOrders(
        so_service.ListSupplierOrdersRequest(filter='order_id = "ONCE"')
    )
    assert len(supplied.supplier_orders) == 2
    await market.check()


@pytest.mark.on_sqlite
async def test_an_approval_that_is_sent_again_at_the_same_time_is_given_once_and_answered_alike(market: Marketplace) -> None:
    acme = await company(market)
    await acme.ada.place_order({"lamp": 1, "tape": 1}, id="AGAIN")
    answers = await asyncio.gather(*(approve(acme.hana, "AGAIN", request_id="again") for _ in range(4)))
    assert {(a.status, a.submission.attempt) for a in answers} == {(Status.ORDER_STATUS_OPEN, 2)}
    assert (await events(acme.ada, "AGAIN")).count("approval_begun") == 1
    await market.check()


async def count(owner: AsyncWaybill, changes: dict[str, int]) -> None:
    """Stock that is counted anew."""
    adjusted = [
        stock.StockAdjustment(inventory_record_id=id, kind=inventory_pb2.STOCK_MOVEMENT_KIND_ADJUST, change=change)
        for id, change in changes.items()
        if change
    ]
    await owner.inventory.AdjustStock(stock.AdjustStockRequest(adjustments=adjusted))
