"""Submits, cancels, shipments and expiries that meet: exactly one wins, and units and money agree with it."""

# Long because the history and its judge are read side by side.
from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from libs.clock import ShiftedClock
from libs.rpc.peers import unanswered
from services.host.sample.marketplace import CURRENCY
from services.order.application.aftercare.cancel_order import CancelOrder
from tests.chaos.seeds import fresh_seed, rounds
from tests.chaos.steps import supplier_order
from tests.support.loops import steps
from tests.support.marketplace import ALL, OUTGOING, Marketplace, create, get, marketplace
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.fulfillment.v1 import inventory_service_pb2, shipment_pb2, shipment_service_pb2, supplier_order_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, line_item_service_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2
from waybill.payment.v1 import spending_account_service_pb2 as account_pb
from waybill_client import AsyncWaybill, WaybillError, money
from waybill_client.money import decimal

pytestmark = pytest.mark.timeout(1_800)
ROUNDS = rounds("WAYBILL_CHAOS_ROUNDS", 10)
LONG = timedelta(minutes=2)
"""More than an attempt's deadline and the grace that reservations have beyond it."""
OPEN, CANCELED = order_pb2.ORDER_STATUS_OPEN, order_pb2.ORDER_STATUS_CANCELED


class Fire:
    """A marketplace whose clock and loops stand still until the test moves them on."""

    def __init__(self, market: Marketplace, clock: ShiftedClock, chance: random.Random) -> None:
        self.market, self.clock, self.chance = market, clock, chance
        self.ada, self.sam = market.people.ada, market.people.sam

    async def step(self, context: str, loop: str) -> None:
        """One look of a background loop."""
        await steps(self.market.host.apps[context])[loop]()

    async def expire(self) -> None:
        """Every service looks for reservations past their time."""
        await asyncio.gather(
            self.step("fulfillment", "ExpireReservations"),
            self.step("payment", "ExpireAttempts"),
            self.step("pricing", "ExpireReservations"),
        )

    async def complete(self) -> None:
        """The completer looks, later than anyone's lease."""
        self.clock.advance(timedelta(seconds=15))
        await self.step("order", "CompleteSubmissions")

    async def jitter(self) -> None:
        """A moment of another length each time."""
        await asyncio.sleep(self.chance.choice([0.0, 0.002, 0.005, 0.01, 0.02]))

    async def later(self, call: Awaitable[Any]) -> str:
        """A call a moment later; the reason of its refusal, empty when it succeeded."""
        await self.jitter()
        try:
            await call
        except WaybillError as error:
            return error.reason
        return ""

    async def ready(self, id: str, *payments: payment_pb2.Payment, **quantities: int) -> Decimal:
        """An order that only has to be submitted; its total."""
        await create(self.ada, id, **quantities)
        checkout = self.ada.checkout
        sheet = (await checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=id))).worksheet
        chosen = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
        await checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id=id, selections=chosen))
        sheet = (await checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=id))).worksheet
        await checkout.AddPayments(pb.AddPaymentsRequest(order_id=id, payments=payments))
        return decimal(sheet.order.total)

    async def units(self, product: str) -> tuple[int, int]:
        """Reserved and allocated units, over all records of a product."""
        answer = await self.market.people.owner.inventory.ListInventoryRecords(
            inventory_service_pb2.ListInventoryRecordsRequest(filter=f"product_id = {product}")
        )
        found = answer.inventory_records
        return sum(r.reserved for r in found), sum(r.allocated for r in found)

    async def balance(self) -> tuple[Decimal, Decimal]:
        """Of Ada's gift card: balance and its reserved part."""
        answer = await self.market.people.owner.spending_accounts.GetSpendingAccount(
            account_pb.GetSpendingAccountRequest(spending_account_id="gift-ada")
        )
        return decimal(answer.spending_account.balance), decimal(answer.spending_account.reserved)

    async def payments(self, id: str) -> list[payment_pb2.Payment]:
        """Of an order."""
        return list((await self.ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id=id))).payments)

    async def states(self, id: str) -> list[str]:
        """Of its payments."""
        names = payment_pb2.PaymentState.Name
        return [names(p.state).removeprefix("PAYMENT_STATE_") for p in await self.payments(id)]


@pytest.fixture
async def fire(tmp_path: Path, database_url: str) -> AsyncIterator[Fire]:
    clock = ShiftedClock()
    async with marketplace(tmp_path, database_url, clock, background=False) as market:
        for token in ("tok_approve", "tok_decline", "tok_late", "tok_timeout", "tok_late_void", "tok_once"):
            card = credit_card_service_pb2.CreditCard(id=token, token=token, partial_number="4242")
            await market.people.ada.credit_cards.CreateCreditCard(
                credit_card_service_pb2.CreateCreditCardRequest(credit_card=card)
            )
        yield Fire(market, clock, random.Random(fresh_seed("submit under fire")))


def gift(amount: str = "") -> payment_pb2.Payment:
    """From Ada's gift card."""
    made = payment_pb2.Payment(type="spending_account", spending_account_id="gift-ada")
    if amount:
        made.amount.CopyFrom(money(amount, CURRENCY))
    return made


def card(token: str) -> payment_pb2.Payment:
    """The rest by card."""
    return payment_pb2.Payment(type="credit_card", credit_card_id=token)


def submit(client: AsyncWaybill, id: str) -> Awaitable[Any]:
    return client.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id))


def cancel(client: AsyncWaybill, id: str) -> Awaitable[Any]:
    return client.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=id))


def ship(client: AsyncWaybill, supplier_order_id: str, quantity: int, at: datetime | None = None) -> Awaitable[Any]:
    shipment = shipment_pb2.Shipment()
    shipment.items.add(supplier_order_id=supplier_order_id, line_item_id="l1", quantity=quantity)
    shipment.ship_time.FromDatetime(at or datetime.now(UTC))
    return client.shipments.CreateShipment(shipment_service_pb2.CreateShipmentRequest(shipment=shipment))


async def test_an_expiry_that_meets_the_decision_obeys_it_or_makes_it(fire: Fire) -> None:
    accepted, paid = 0, Decimal(0)
    outcomes: set[str] = set()
    for n in range(ROUNDS):
        await fire.ready(f"EXP{n}", gift("5.00"), card("tok_approve"), tape=2)
        racing: list[asyncio.Task[None]] = []

        async def overdue(n: int = n, racing: list[asyncio.Task[None]] = racing) -> None:
            fire.clock.advance(LONG)
            if n == 0:
                await fire.expire()
            elif n > 1:
                racing.append(asyncio.create_task(fire.expire()))
                await fire.jitter()

        fire.market.host.failpoints.arm("order.submit.tried", overdue)
        reason = await fire.later(submit(fire.ada, f"EXP{n}"))
        fire.market.host.failpoints.disarm("order.submit.tried")
        await asyncio.gather(*racing)
        fire.clock.advance(LONG)
        await fire.expire()
        await fire.complete()
        order = await get(fire.ada, f"EXP{n}")
        outcomes.add(reason)
        assert (reason, order.submission.finished) in (("", True), ("SUBMIT_REFUSED", True))
        assert order.status == (order_pb2.ORDER_STATUS_UNSUBMITTED if reason else OPEN)
        assert await fire.states(order.id) == ["OPEN" if reason else "CONFIRMED"] * 2
        accepted += 0 if reason else 1
        paid += 0 if reason else Decimal(5)
        assert await fire.units("tape") == (0, 2 * accepted)
        assert await fire.balance() == (500 - paid, 0)
    assert outcomes == {"", "SUBMIT_REFUSED"}


async def test_a_gateway_that_never_answers_in_time_ends_in_a_refusal_that_holds_nothing(fire: Fire) -> None:
    for token, answer in (("tok_late", "SUCCEEDED"), ("tok_timeout", "DECLINED")):
        id = f"NEVER-{token}"
        await fire.ready(id, gift("5.00"), card(token), tape=2)
        assert await fire.later(submit(fire.ada, id)) == ""
        assert await fire.states(id) == ["RESERVED", "AUTHORIZING"]
        assert await fire.later(unpay(fire.ada, id, "none")) == "SUBMISSION_IN_PROGRESS"
        fire.clock.advance(LONG)
        await fire.step("order", "CompleteSubmissions")
        order = await get(fire.ada, id)
        assert [r.reason for r in order.submission.reasons] == ["SUBMIT_TIMED_OUT"]
        assert await fire.states(id) == ["OPEN", "OPEN"]
        _, paid = await fire.payments(id)
        results = [payment_pb2.PaymentTransactionResult.Name(t.result).rsplit("_", 1)[-1] for t in paid.transactions]
        assert results == ["SUCCEEDED", answer, "SUCCEEDED"]
        assert (await fire.units("tape"), await fire.balance()) == ((0, 0), (500, 0))


async def test_a_void_without_an_answer_keeps_its_payment_from_being_used_until_it_is_known(fire: Fire) -> None:
    late, no = card("tok_late_void"), card("tok_decline")
    late.id, no.id = "late", "no"
    late.amount.CopyFrom(money("5.00", CURRENCY))
    await fire.ready("VOID", late, no, tape=2)
    assert await fire.later(submit(fire.ada, "VOID")) == "SUBMIT_REFUSED"
    assert await fire.states("VOID") == ["VOID_PENDING", "OPEN"]
    assert await fire.later(submit(fire.ada, "VOID")) == "SUBMIT_CONTENDED"
    fire.clock.advance(LONG)
    await fire.step("payment", "SettleTransactions")
    assert await fire.states("VOID") == ["OPEN", "OPEN"]
    await unpay(fire.ada, "VOID", "no")
    await fire.ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id="VOID", payments=[card("tok_approve")]))
    assert await fire.later(submit(fire.ada, "VOID")) == ""
    assert await fire.states("VOID") == ["CONFIRMED", "CONFIRMED"]


def unpay(client: AsyncWaybill, id: str, payment_id: str) -> Awaitable[Any]:
    return client.checkout.RemovePayments(pb.RemovePaymentsRequest(order_id=id, payment_ids=[payment_id]))


async def test_of_a_cancel_and_a_shipment_exactly_one_wins(fire: Fire) -> None:
    shipped, kept = 0, Decimal(0)
    for n in range(ROUNDS):
        id = f"CVS{n}"
        await fire.ready(id, gift("1.00"), payment_pb2.Payment(type="purchase_order"), tape=2)
        await submit(fire.ada, id)
        calls = [fire.later(cancel(fire.sam, id)), fire.later(ship(fire.market.people.clerks["wh-east"], f"{id}-1", 1 + n % 2))]
        canceled, left = await asyncio.gather(*calls)
        status = (await get(fire.ada, id)).status
        if left == "":
            # What has left stays sold. A cancel that comes after it cancels the rest, if there is one.
            assert canceled in (("ORDER_ALREADY_SHIPPED", "ORDER_STATUS_CONFLICT", "CHANGE_REFUSED") if n % 2 else ("",))
            assert status == order_pb2.ORDER_STATUS_COMPLETED
            assert await fire.states(id) == ["CONFIRMED"] * 2
            shipped += 1 + n % 2
            kept += 1
        else:
            assert (canceled, left) == ("", "SUPPLIER_ORDER_STATUS_CONFLICT")
            assert status == CANCELED
            assert await fire.states(id) == ["VOIDED"] * 2
        assert await fire.units("tape") == (0, 0)
        assert await fire.balance() == (500 - kept, 0)
    answer = await fire.market.people.owner.inventory.GetInventoryRecord(
        inventory_service_pb2.GetInventoryRecordRequest(inventory_record_id="tape-wh-east")
    )
    assert answer.inventory_record.on_hand == 500 - shipped


async def test_several_cancels_at_once_undo_an_order_once(fire: Fire) -> None:
    for n in range(ROUNDS):
        id = f"CAN{n}"
        await fire.ready(id, gift("5.00"), card("tok_approve"), tape=2)
        await submit(fire.ada, id)
        reasons = await asyncio.gather(*(fire.later(cancel(fire.sam, id)) for _ in range(3)))
        assert "" in reasons
        assert set(reasons) <= {"", "ORDER_STATUS_CONFLICT"}
        assert (await get(fire.ada, id)).status == CANCELED
        assert await fire.states(id) == ["VOIDED", "VOIDED"]
        void = payment_pb2.PAYMENT_TRANSACTION_TYPE_VOID
        assert [sum(t.type == void for t in p.transactions) for p in await fire.payments(id)] == [1, 1]
        assert (await fire.units("tape"), await fire.balance()) == ((0, 0), (500, 0))


async def test_of_a_submit_and_an_edit_exactly_one_wins(fire: Fire) -> None:
    allocated = 0
    for n in range(ROUNDS):
        id = f"EDT{n}"
        await fire.ready(id, gift(), tape=2)
        line = line_item_pb2.LineItem(id="l1", quantity=3)
        edit = fire.ada.line_items.UpdateLineItems(line_item_service_pb2.UpdateLineItemsRequest(order_id=id, line_items=[line]))
        submitted, edited = await asyncio.gather(fire.later(submit(fire.ada, id)), fire.later(edit))
        answer = await fire.ada.orders.GetOrder(
            order_service_pb2.GetOrderRequest(order_id=id, direction=ALL, include_line_items=True)
        )
        if submitted:
            assert (submitted, edited) == ("SUBMIT_REFUSED", "")
            assert answer.line_items[0].quantity == 3
        else:
            assert edited in ("SUBMISSION_IN_PROGRESS", "ORDER_STATUS_CONFLICT")
            assert (answer.order.status, answer.line_items[0].quantity) == (OPEN, 2)
            allocated += 2
            await cancel(fire.sam, id)
            allocated -= 2
        assert await fire.units("tape") == (0, allocated)
    assert await fire.balance() == (500, 0)


async def test_of_a_submit_and_a_cancel_exactly_one_wins(fire: Fire) -> None:
    for n in range(ROUNDS):
        id = f"SVC{n}"
        await fire.ready(id, gift("5.00"), card("tok_approve"), tape=2)
        submitted, canceled = await asyncio.gather(fire.later(submit(fire.ada, id)), fire.later(cancel(fire.ada, id)))
        await fire.complete()
        order = await get(fire.ada, id, OUTGOING)
        if canceled:
            assert (submitted, canceled, order.status) == ("", "ROLE_MISSING", OPEN)
            await cancel(fire.sam, id)
        else:
            assert submitted in ("SUBMIT_REFUSED", "ORDER_STATUS_CONFLICT")
            assert order.status == CANCELED
        assert (await fire.units("tape"), await fire.balance()) == ((0, 0), (500, 0))


async def test_an_authorization_that_lapses_before_the_shipment_is_renewed_or_needs_attention(fire: Fire) -> None:
    for token, state in (("tok_approve", "CONFIRMED"), ("tok_once", "ATTENTION")):
        id = f"WAITS-{token}"
        await fire.ready(id, card(token), tape=2)
        await submit(fire.ada, id)
        (before,) = await fire.payments(id)
        fire.clock.advance(timedelta(days=6, hours=1))
        await fire.step("payment", "RenewAuthorizations")
        fire.clock.advance(LONG)
        await fire.step("payment", "SettleTransactions")
        (after,) = await fire.payments(id)
        assert await fire.states(id) == [state]
        moved = after.authorization_expire_time.seconds > before.authorization_expire_time.seconds
        assert moved == (state == "CONFIRMED")
        assert (await get(fire.ada, id)).status == OPEN
        await fire.step("payment", "ReportAlerts")
        held = state == "ATTENTION"
        assert (await get(fire.sam, id)).held is held
        leaves = ship(fire.market.people.clerks["wh-east"], f"{id}-1", 1, fire.clock.now())
        assert await fire.later(leaves) == ("SUPPLIER_ORDER_HELD" if held else "")
        await fire.market.check()
        if held:
            await cancel(fire.sam, id)
            assert await fire.states(id) == ["VOIDED"]


@pytest.mark.parametrize("dies", [False, True])
async def test_a_cancel_that_freezes_an_order_before_its_delivery_decides_over_it(
    fire: Fire, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    service = product_pb2.Product(id="lamp", shippable=False)
    await fire.market.people.owner.products.UpdateProduct(
        product_service_pb2.UpdateProductRequest(product=service, update_mask=FieldMask(paths=["shippable"]))
    )
    await create(fire.ada, "SVC", lamp=1)
    await fire.ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="SVC"))
    await fire.ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id="SVC", payments=[gift()]))
    frozen, opened, freeze = asyncio.Event(), asyncio.Event(), CancelOrder._freeze
    cancels: list[asyncio.Task[str]] = []

    async def freeze_and_wait(self: CancelOrder, key: uuid.UUID) -> None:
        await freeze(self, key)
        if not frozen.is_set():
            frozen.set()
            await opened.wait()
            if dies:
                raise unanswered("fulfillment")

    async def canceled_meanwhile() -> None:
        cancels.append(asyncio.create_task(fire.later(cancel(fire.sam, "SVC"))))
        await frozen.wait()

    monkeypatch.setattr(CancelOrder, "_freeze", freeze_and_wait)
    fire.market.host.failpoints.arm("order.submit.decided", canceled_meanwhile)
    await submit(fire.ada, "SVC")
    assert (await get(fire.ada, "SVC")).status == OPEN, "nothing is delivered of a frozen order"
    opened.set()
    reason = await cancels[0]
    await fire.complete()
    assert dies or reason == ""
    part = await supplier_order(fire.market.people.clerks["lumenworks"], "SVC")
    assert part.status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_CANCELED
    assert (await get(fire.ada, "SVC")).status == order_pb2.ORDER_STATUS_CANCELED
    assert await fire.states("SVC") == ["VOIDED"]
