"""Submit under competition, with silent gateways, and undone."""

from __future__ import annotations

import asyncio

import pytest
from google.type.decimal_pb2 import Decimal

from services.host.sample.marketplace import CURRENCY, dock
from tests.e2e.steps import DEPOT, card, checked_out, promise, ready, until
from tests.support.marketplace import OUTGOING, Marketplace, get
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2, submission_pb2
from waybill.payment.v1 import payment_pb2
from waybill.payment.v1 import spending_account_service_pb2 as account_pb
from waybill.pricing.v1 import tax_rate_service_pb2 as tax_pb
from waybill_client import WaybillError, money


async def stock(market: Marketplace, record: str) -> inventory_pb2.InventoryRecord:
    answer = await market.people.owner.inventory.GetInventoryRecord(
        inventory_service_pb2.GetInventoryRecordRequest(inventory_record_id=record)
    )
    return answer.inventory_record


async def scarce(market: Marketplace, quantity: int) -> str:
    """A record of tarpaulins at another place, with that many; the rest is taken out of service."""
    owner = market.people.owner
    await owner.inventory.UpdateInventoryRecord(
        inventory_service_pb2.UpdateInventoryRecordRequest(
            inventory_record=inventory_pb2.InventoryRecord(id="tarp-wh-west", active=False)
        )
    )
    await owner.inventory.CreateInventoryRecord(
        inventory_service_pb2.CreateInventoryRecordRequest(
            inventory_record=inventory_pb2.InventoryRecord(
                id="scarce", product_id="tarp", supplier_id="wh-west", location_id=dock("wh-west"), active=True
            ),
            opening_quantity=quantity,
        )
    )
    return "scarce"


@pytest.mark.on_sqlite
@pytest.mark.parametrize(("submits", "units"), [(20, 8), pytest.param(50, 20, marks=pytest.mark.long)])
async def test_submits_over_scarce_stock_sell_exactly_what_is_there(market: Marketplace, submits: int, units: int) -> None:
    record = await scarce(market, units)
    ids = [f"RACE-{i}" for i in range(submits)]
    for id in ids:
        await ready(market.people.ada, id, promise(), tarp=1)

    hints: list[float | None] = []

    async def submit(id: str) -> str:
        for _ in range(50):
            try:
                await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id))
                return "SUBMITTED"
            except WaybillError as error:
                if error.reason != "SUBMIT_CONTENDED":
                    return ",".join(sorted({rule.reason for rule in error.rules}))
                # Others hold the last units without having confirmed: the answer says to try again, and when.
                hints.append(error.retry_after_seconds)
                await asyncio.sleep(0.05)
        return "GAVE_UP"

    outcomes = await asyncio.gather(*(submit(id) for id in ids))
    assert None not in hints
    assert outcomes.count("SUBMITTED") == units
    assert outcomes.count("INSUFFICIENT_INVENTORY") == submits - units
    left = await stock(market, record)
    assert (left.available, left.allocated, left.reserved) == (0, units, 0)
    states = [(await get(market.people.ada, id)).status for id in ids]
    assert states.count(order_pb2.ORDER_STATUS_OPEN) == units
    assert states.count(order_pb2.ORDER_STATUS_UNSUBMITTED) == submits - units


async def test_two_submits_of_one_order_under_two_request_ids_have_one_effect(shared_market: Marketplace) -> None:
    before = (await stock(shared_market, "anvil-northforge")).allocated
    await ready(shared_market.people.ada, "SUBMITTED-TWICE", promise(), anvil=2)

    async def submit(request_id: str) -> str:
        try:
            await shared_market.people.ada.checkout.SubmitOrder(
                pb.SubmitOrderRequest(order_id="SUBMITTED-TWICE", request_id=request_id)
            )
            return "SUBMITTED"
        except WaybillError as error:
            return error.reason

    outcomes = await asyncio.gather(submit("a"), submit("b"))
    assert sorted(outcomes)[-1] == "SUBMITTED" or "SUBMITTED" in outcomes
    assert outcomes.count("SUBMITTED") == 1
    assert set(outcomes) - {"SUBMITTED"} <= {"SUBMISSION_IN_PROGRESS", "ORDER_STATUS_CONFLICT"}
    assert (await stock(shared_market, "anvil-northforge")).allocated == before + 2
    tree = await shared_market.people.sam.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id="SUBMITTED-TWICE"))
    assert len(tree.supplier_orders) == 1


@pytest.mark.on_sqlite
async def test_the_same_request_id_joins_the_first_submit(shared_market: Marketplace) -> None:
    await ready(shared_market.people.ada, "JOIN", promise(), anvil=1)
    before = (await stock(shared_market, "anvil-northforge")).allocated
    request = pb.SubmitOrderRequest(order_id="JOIN", request_id="once")
    answers = await asyncio.gather(*(shared_market.people.ada.checkout.SubmitOrder(request) for _ in range(5)))
    assert {a.order.submission.attempt for a in answers} == {1}
    assert {a.order.status for a in answers} == {order_pb2.ORDER_STATUS_OPEN}
    assert (await stock(shared_market, "anvil-northforge")).allocated == before + 1


@pytest.mark.on_sqlite
async def test_a_declined_card_refuses_the_submit_and_frees_everything(market: Marketplace) -> None:
    await card(market, "bad", "tok_decline")
    pay = [
        payment_pb2.Payment(id="g", type="spending_account", spending_account_id="gift-ada", amount=money("100.00", CURRENCY)),
        payment_pb2.Payment(id="c", type="credit_card", credit_card_id="bad"),
    ]
    await ready(market.people.ada, "POOR", pay, anvil=1)
    with pytest.raises(WaybillError) as refused:
        await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="POOR"))
    assert refused.value.reason == "SUBMIT_REFUSED"
    assert [(r.reason, r.subject) for r in refused.value.rules] == [("CARD_DECLINED", "payments[c]")]
    assert (await stock(market, "anvil-northforge")).reserved == 0
    assert await balance(market) == ("500", "0")
    order = await get(market.people.ada, "POOR")
    assert order.status == order_pb2.ORDER_STATUS_UNSUBMITTED
    assert order.submission.state == submission_pb2.SUBMISSION_STATE_REFUSED


async def test_a_tax_rate_that_changed_after_the_calculation_refuses_the_submit(market: Marketplace) -> None:
    await ready(market.people.ada, "TAXED", promise(), anvil=1)
    rates = await market.people.owner.tax_rates.ListTaxRates(tax_pb.ListTaxRatesRequest())
    for rate in rates.tax_rates:
        await market.people.owner.tax_rates.UpdateTaxRate(
            tax_pb.UpdateTaxRateRequest(tax_rate=tax_pb.TaxRate(id=rate.id, rate=Decimal(value="0.2")))
        )
    with pytest.raises(WaybillError) as refused:
        await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="TAXED"))
    sheet = (await market.people.ada.checkout.GetWorksheet(pb.GetWorksheetRequest(order_id="TAXED"))).worksheet
    assert {(rule.reason, rule.subject) for rule in refused.value.rules} == {
        ("TAX_CHANGED", "line_items[l1]"),
        ("TAX_CHANGED", f"ship_estimates[{sheet.ship_estimates[0].id}]"),
    }
    await market.people.ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="TAXED"))
    answer = await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="TAXED"))
    assert answer.order.status == order_pb2.ORDER_STATUS_OPEN


async def test_shipping_that_goes_elsewhere_is_held_to_the_rate_of_its_own_place(market: Marketplace) -> None:
    owner, ada = market.people.owner, market.people.ada
    there = tax_pb.TaxRate(id="nv-shipping", country="US", region="NV", tax_class="shipping", rate=Decimal(value="0.05"))
    await owner.tax_rates.CreateTaxRate(tax_pb.CreateTaxRateRequest(tax_rate=there))
    apart = [
        line_item_pb2.LineItem(id="home", product_id="anvil", quantity=1),
        line_item_pb2.LineItem(id="away", product_id="anvil", quantity=1, shipping_address=DEPOT),
    ]
    for id in ("KEPT", "MOVED"):
        await ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id), line_items=apart))
        await checked_out(ada, id, promise())
    kept = await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="KEPT"))
    assert kept.order.status == order_pb2.ORDER_STATUS_OPEN
    there.rate.value = "0.06"
    await owner.tax_rates.UpdateTaxRate(tax_pb.UpdateTaxRateRequest(tax_rate=there))
    with pytest.raises(WaybillError) as refused:
        await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="MOVED"))
    sheet = (await ada.checkout.GetWorksheet(pb.GetWorksheetRequest(order_id="MOVED"))).worksheet
    (away,) = [e.id for e in sheet.ship_estimates if e.items[0].line_item_id == "away"]
    assert [(rule.reason, rule.subject) for rule in refused.value.rules] == [("TAX_CHANGED", f"ship_estimates[{away}]")]


async def test_a_late_gateway_leaves_the_attempt_open_and_the_completer_ends_it(shared_market: Marketplace) -> None:
    await card(shared_market, "slow-late", "tok_late")
    await ready(shared_market.people.ada, "LATE", [payment_pb2.Payment(type="credit_card", credit_card_id="slow-late")], anvil=1)
    answer = await shared_market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="LATE"))
    assert answer.order.submission.state == submission_pb2.SUBMISSION_STATE_TRYING
    with pytest.raises(WaybillError) as refused:
        await shared_market.people.ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id="LATE", payments=promise()))
    assert refused.value.reason == "SUBMISSION_IN_PROGRESS"
    assert await until(shared_market.people.ada, "LATE", order_pb2.ORDER_STATUS_OPEN)


async def test_a_cancel_decides_a_running_attempt_and_nothing_stays_held(market: Marketplace) -> None:
    await card(market, "mute", "tok_timeout")
    pay = [payment_pb2.Payment(type="credit_card", credit_card_id="mute")]
    await ready(market.people.ada, "STUCK", pay, anvil=1)
    await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="STUCK"))
    answer = await market.people.ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="STUCK"))
    assert answer.order.status == order_pb2.ORDER_STATUS_CANCELED
    assert answer.order.submission.reasons[0].reason == "SUBMIT_CANCELED"
    assert answer.order == await get(market.people.ada, "STUCK")
    assert (await stock(market, "anvil-northforge")).reserved == 0


@pytest.mark.on_sqlite
async def test_canceling_an_open_order_returns_stock_and_money(shared_market: Marketplace) -> None:
    had, allocated = await balance(shared_market), (await stock(shared_market, "tape-wh-east")).allocated
    pay = [payment_pb2.Payment(type="spending_account", spending_account_id="gift-ada")]
    await ready(shared_market.people.ada, "CALLED-OFF", pay, tape=10)
    await shared_market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="CALLED-OFF"))
    assert await balance(shared_market) != had
    answer = await shared_market.people.sam.orders.CancelOrder(
        order_service_pb2.CancelOrderRequest(order_id="CALLED-OFF", comment="changed our mind")
    )
    assert answer.order.status == order_pb2.ORDER_STATUS_CANCELED
    assert await balance(shared_market) == had
    assert (await stock(shared_market, "tape-wh-east")).allocated == allocated


async def test_the_history_of_a_canceled_order_records_units_canceled_and_none_shipped(shared_market: Marketplace) -> None:
    await shared_market.people.ada.place_order({"anvil": 1, "lamp": 2}, id="OFF")
    await shared_market.people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="OFF"))
    answer = await shared_market.people.ada.orders.ListOrderHistory(
        order_service_pb2.ListOrderHistoryRequest(order_id="OFF", direction=OUTGOING)
    )
    newest = [(e.type, dict(e.data)) for e in answer.events][-2:]
    assert [type for type, _ in newest] == ["order_canceled", "units_canceled"]
    assert dict(newest[1][1]["canceled"]) == {"l1": 1, "l2": 2}
    assert [e.sequence for e in answer.events] == list(range(1, len(answer.events) + 1))
    assert "units_shipped" not in {e.type for e in answer.events}


async def test_a_shopper_cannot_cancel_an_open_order(shared_market: Marketplace) -> None:
    await shared_market.people.ada.place_order({"tape": 1}, id="KEEP")
    with pytest.raises(WaybillError) as refused:
        await shared_market.people.ada.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="KEEP"))
    assert (refused.value.reason, refused.value.metadata["role"]) == ("ROLE_MISSING", "OrderAdmin")


async def test_place_order_repeated_under_its_request_id_is_one_order(shared_market: Marketplace) -> None:
    before = (await stock(shared_market, "tape-wh-east")).allocated
    first = await shared_market.people.ada.place_order({"tape": 3}, request_id="repeated")
    again = await shared_market.people.ada.place_order({"tape": 3}, request_id="repeated")
    assert first.id == again.id
    assert (await stock(shared_market, "tape-wh-east")).allocated == before + 3


async def balance(market: Marketplace) -> tuple[str, str]:
    answer = await market.people.owner.spending_accounts.GetSpendingAccount(
        account_pb.GetSpendingAccountRequest(spending_account_id="gift-ada")
    )
    account = answer.spending_account
    return str(account.balance.units), str(account.reserved.units)
