"""What the seller charges for an order beside goods and shipping: taxed, in the total, in no supplier order, given back only when
nothing has shipped."""

from __future__ import annotations

from decimal import Decimal as Number
from typing import Any

import grpc
import pytest
from google.type.decimal_pb2 import Decimal

from services.host.sample.marketplace import CURRENCY
from tests.e2e.steps import card, cents, checked_out, gift_card, policy, ready, refused, ship, violations
from tests.e2e.test_capture_on_shipment import more_than, paid
from tests.support.marketplace import OUTGOING, Marketplace, get
from waybill.directory.v1.ordering_context_service_pb2 import PAYMENT_CAPTURE_ON_SHIPMENT
from waybill.fulfillment.v1 import supplier_order_service_pb2
from waybill.order.v1 import checkout_service_pb2, fee_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill.pricing.v1 import tax_rate_service_pb2
from waybill_client import AsyncWaybill, money

RATE = "0.1"


def fee(id: str, amount: Any, currency: str = CURRENCY, **fields: Any) -> fee_pb2.Fee:
    return fee_pb2.Fee(id=id, name=fields.pop("name", id.title()), amount=money(amount, currency), **fields)


async def charge(client: AsyncWaybill, id: str, *fees: fee_pb2.Fee) -> order_pb2.Order:
    request = order_service_pb2.UpdateOrderRequest(order=order_pb2.Order(id=id, fees=fees), update_mask={"paths": ["fees"]})
    return (await client.orders.UpdateOrder(request)).order


async def calculated(client: AsyncWaybill, id: str) -> order_pb2.Order:
    request = checkout_service_pb2.CalculateOrderRequest(order_id=id)
    return (await client.checkout.CalculateOrder(request)).worksheet.order


async def taxed(market: Marketplace, rate_id: str, value: str) -> None:
    """The rate of a class of its own, where ada's orders go."""
    rate = tax_rate_service_pb2.TaxRate(id=rate_id, country="US", tax_class=rate_id, rate=Decimal(value=value))
    request = tax_rate_service_pb2.BatchCreateTaxRatesRequest(tax_rates=[rate])
    await market.people.owner.tax_rates.BatchCreateTaxRates(request)


GIFT = payment_pb2.Payment(type="spending_account", spending_account_id="gift-ada")


async def bought(market: Marketplace, id: str, tax_class: str, pay: payment_pb2.Payment = GIFT) -> order_pb2.Order:
    """Two tapes, handling of five dollars and packing of nothing."""
    await ready(market.people.ada, id, [], tape=2)
    await charge(market.people.owner, id, fee("handling", "5", tax_class=tax_class), fee("packing", "0"))
    await calculated(market.people.ada, id)
    await checked_out(market.people.ada, id, [pay])
    await market.people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id=id))
    return await get(market.people.ada, id, OUTGOING)


async def cancel(market: Marketplace, id: str) -> order_pb2.Order:
    return (await market.people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=id))).order


@pytest.mark.on_sqlite
async def test_fees_are_taxed_and_paid_with_the_order_and_given_back_when_nothing_has_shipped(shared_market: Marketplace) -> None:
    await taxed(shared_market, "charged", RATE)
    before = await gift_card(shared_market)
    order = await bought(shared_market, "CHARGED", "charged")
    assert [(f.id, f.name, cents(f.amount), cents(f.tax), Number(f.tax_rate.value)) for f in order.fees] == [
        ("handling", "Handling", 500, 50, Number(RATE)),
        ("packing", "Packing", 0, 0, 0),
    ]
    assert {f.source for f in order.fees} == {fee_pb2.FEE_SOURCE_SELLER}
    parts = [order.subtotal, order.shipping_cost, order.tax, order.fee_total]
    assert (cents(order.fee_total), cents(order.total)) == (500, sum(map(cents, parts)))
    assert before - await gift_card(shared_market) == cents(order.total)
    theirs = await get(shared_market.people.clerks["wh-east"], "CHARGED-1")
    assert (cents(theirs.total), list(theirs.fees)) == (cents(order.total) - 550, [])
    assert cents(theirs.tax) == cents(order.tax) - 50
    await shared_market.check()
    gone = await cancel(shared_market, "CHARGED")
    assert (cents(gone.canceled.fee_total), cents(gone.canceled.tax)) == (500, cents(order.tax))
    assert cents(gone.canceled.total) == cents(order.total)
    assert await gift_card(shared_market) == before
    await shared_market.check()


async def test_fees_stay_with_the_seller_once_anything_has_shipped(shared_sqlite_market: Marketplace) -> None:
    await taxed(shared_sqlite_market, "kept", RATE)
    before = await gift_card(shared_sqlite_market)
    await bought(shared_sqlite_market, "FEE-KEPT", "kept")
    await ship(shared_sqlite_market.people.clerks["wh-east"], "FEE-KEPT-1", "l1", 1)
    rest = await cancel(shared_sqlite_market, "FEE-KEPT")
    assert (rest.status, rest.canceled.HasField("fee_total")) == (order_pb2.ORDER_STATUS_COMPLETED, False)
    assert before - await gift_card(shared_sqlite_market) == cents(rest.total) - cents(rest.canceled.total)
    assert cents(rest.total) - cents(rest.canceled.total) > 550
    await shared_sqlite_market.check()


async def test_fees_and_their_tax_are_charged_with_the_first_shipment(sqlite_market: Marketplace) -> None:
    await policy(sqlite_market, capture=PAYMENT_CAPTURE_ON_SHIPMENT)
    await card(sqlite_market, "c-FIRST", "tok_approve")
    await taxed(sqlite_market, "first", RATE)
    pay = payment_pb2.Payment(id="p-FIRST", type="credit_card", credit_card_id="c-FIRST")
    order, east = await bought(sqlite_market, "FIRST", "first", pay), sqlite_market.people.clerks["wh-east"]
    await ship(east, "FIRST-1", "l1", 1)
    first = await paid(sqlite_market, "FIRST", more_than(0))
    asked = supplier_order_service_pb2.GetSupplierOrderRequest(supplier_order_id="FIRST-1")
    theirs = (await east.supplier_orders.GetSupplierOrder(asked)).supplier_order
    assert cents(first.captured_amount) == cents(theirs.shipped_total) + 550 < cents(order.total)
    await ship(east, "FIRST-1", "l1", 1)
    last = await paid(sqlite_market, "FIRST", more_than(cents(first.captured_amount)))
    assert cents(last.captured_amount) == cents(theirs.total) + 550 == cents(order.total)
    await sqlite_market.check()


async def test_a_change_of_fees_keeps_the_estimates_and_no_amount_is_current_until_it_is_calculated(
    shared_sqlite_market: Marketplace,
) -> None:
    people = shared_sqlite_market.people
    await taxed(shared_sqlite_market, "moved", RATE)
    await ready(people.ada, "MOVED-FEE", [], tape=1)
    plain = await get(people.ada, "MOVED-FEE")
    charged = await charge(people.owner, "MOVED-FEE", fee("rush", "3", tax_class="moved"))
    assert (cents(charged.total) - cents(plain.total), charged.calculated) == (300, False)
    refusal = await refused(people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="MOVED-FEE")))
    assert "ORDER_NOT_CALCULATED" in {rule.reason for rule in refusal.rules}
    again = await calculated(people.ada, "MOVED-FEE")
    assert (cents(again.total) - cents(plain.total), cents(again.tax) - cents(plain.tax), again.calculated) == (330, 30, True)
    without = await charge(people.owner, "MOVED-FEE")
    assert (without.total, without.tax, without.calculated) == (plain.total, plain.tax, False)
    await shared_sqlite_market.check()


async def test_a_tax_of_fees_that_has_changed_since_stands_against_a_submit(shared_sqlite_market: Marketplace) -> None:
    people = shared_sqlite_market.people
    await ready(people.ada, "TAXED-LATER", [], tape=1)
    await charge(people.owner, "TAXED-LATER", fee("rush", "3", tax_class="later"))
    await checked_out(people.ada, "TAXED-LATER", [GIFT])
    await taxed(shared_sqlite_market, "later", RATE)
    refusal = await refused(people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="TAXED-LATER")))
    assert [(rule.reason, rule.subject) for rule in refusal.rules] == [("TAX_CHANGED", "fees[rush]")]


async def test_everything_that_is_wrong_with_fees_is_said_at_once_and_only_the_seller_sets_them(
    shared_sqlite_market: Marketplace,
) -> None:
    people = shared_sqlite_market.people
    await ready(people.ada, "WRONG-FEES", [], tape=1)
    bad = [fee("a", "-1"), fee("a", "1", "EUR"), fee("no id", "0.001"), fee("b", "1", name=""), fee_pb2.Fee(id="c", name="c")]
    found = violations(await refused(charge(people.owner, "WRONG-FEES", *bad, *(fee(f"f{i}", "1") for i in range(16)))))
    assert found == {
        ("order.fees", "TOO_MANY_ITEMS"),
        ("order.fees[0].amount", "AMOUNT_NEGATIVE"),
        ("order.fees[1].id", "DUPLICATE_ITEM"),
        ("order.fees[1].amount", "CURRENCY_MISMATCH"),
        ("order.fees[2].id", "ID_INVALID"),
        ("order.fees[2].amount", "AMOUNT_TOO_PRECISE"),
        ("order.fees[3].name", "FIELD_REQUIRED"),
        ("order.fees[4].amount", "FIELD_REQUIRED"),
    }
    for client in (people.ada, people.clerks["wh-east"]):
        refusal = await refused(charge(client, "WRONG-FEES", fee("mine", "1")))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.PERMISSION_DENIED, "PARTY_NOT_ADMITTED")
    made = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id="AT-ONCE-FEE", fees=[fee("mine", "1")]))
    assert (await refused(people.ada.orders.CreateOrder(made))).reason == "PARTY_NOT_ADMITTED"
