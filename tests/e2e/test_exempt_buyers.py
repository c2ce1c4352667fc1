"""Buyers that are exempt from tax: what they pay, what they see, and what a submit says when that has changed."""

from __future__ import annotations

from typing import Any

import pytest
from google.type.decimal_pb2 import Decimal

from tests.e2e.steps import cents, checked_out, promise, refused, violations
from tests.e2e.test_included_tax import with_tax
from tests.support.marketplace import Marketplace, create
from waybill.directory.v1 import buyer_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2, worksheet_pb2
from waybill.type.v1.tax_exemption_pb2 import TaxExemption
from waybill_client import AsyncWaybill, money

CERTIFICATE = TaxExemption(country="US", certificate_id="CA-230-77")


async def exempt(client: AsyncWaybill, *exemptions: TaxExemption) -> None:
    """What acme need not pay from now on."""
    buyer = buyer_service_pb2.Buyer(id="acme", tax_exemptions=exemptions)
    await client.buyers.UpdateBuyer(buyer_service_pb2.UpdateBuyerRequest(buyer=buyer, update_mask={"paths": ["tax_exemptions"]}))


async def calculated(client: AsyncWaybill, id: str) -> worksheet_pb2.OrderWorksheet:
    return (await client.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=id))).worksheet


def amounts(sheet: worksheet_pb2.OrderWorksheet) -> dict[str, Any]:
    return {line.product_id: (cents(line.subtotal), cents(line.tax), cents(line.included_tax)) for line in sheet.line_items}


@pytest.mark.on_sqlite
async def test_an_exempt_buyer_pays_net_and_is_shown_why(market: Marketplace) -> None:
    people = market.people
    await with_tax(people.owner)
    await create(people.ada, "TAXED", tape=3, anvil=1)
    await checked_out(people.ada, "TAXED", promise())
    await exempt(people.owner, CERTIFICATE)
    assert {
        (r.reason, r.subject)
        for r in (await refused(people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="TAXED")))).rules
    } == {("TAX_CHANGED", "order")}
    sheet = await calculated(people.ada, "TAXED")
    # Three tapes of 3.333 with 7.25 %, and an anvil of 189.
    assert amounts(sheet) == {"tape": (932, 0, 0), "anvil": (18_900, 0, 0)}
    (tape,) = [line for line in sheet.line_items if line.product_id == "tape"]
    last = tape.price_steps[-1]
    assert (last.exemption.certificate_id, last.exemption.tax_rate, tape.tax_included) == (
        "CA-230-77",
        Decimal(value="0.0725"),
        False,
    )
    for shipment in sheet.calculation.shipments:
        assert cents(shipment.exempted_tax) == round(cents(shipment.cost) / 10)
        assert (cents(shipment.tax), cents(shipment.included_tax)) == (0, 0)
    assert (cents(sheet.order.tax), cents(sheet.order.included_tax)) == (0, 0)
    await market.check()
    answer = await people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="TAXED"))
    assert answer.order.status == order_pb2.ORDER_STATUS_OPEN
    await market.check()


async def test_a_new_order_is_exempt_at_once_and_pays_again_when_the_exemption_is_gone(sqlite_market: Marketplace) -> None:
    people = sqlite_market.people
    await with_tax(people.owner)
    await exempt(people.owner, CERTIFICATE)
    override = order_pb2.Order(id="NET", shipping_cost_override=money("11", "USD"))
    await create(people.ada, "NET", tape=3)
    await people.owner.orders.UpdateOrder(
        order_service_pb2.UpdateOrderRequest(order=override, update_mask={"paths": ["shipping_cost_override"]})
    )
    await checked_out(people.ada, "NET", promise())
    net = await calculated(people.ada, "NET")
    assert (amounts(net)["tape"], cents(net.order.shipping_cost)) == ((932, 0, 0), 1_000)
    await sqlite_market.check()
    await exempt(people.owner)
    assert {r.reason for r in (await refused(people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="NET")))).rules} == {
        "TAX_CHANGED"
    }
    gross = await calculated(people.ada, "NET")
    assert (amounts(gross)["tape"], cents(gross.order.shipping_cost)) == ((1_000, 0, 68), 1_100)
    answer = await people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="NET"))
    assert answer.order.status == order_pb2.ORDER_STATUS_OPEN
    await sqlite_market.check()


async def test_a_tax_that_is_set_for_the_order_of_an_exempt_buyer_comes_on_top_of_net_prices(sqlite_market: Marketplace) -> None:
    people = sqlite_market.people
    await with_tax(people.owner)
    await exempt(people.owner, CERTIFICATE)
    await create(people.ada, "OWN", tape=3)
    override = order_pb2.Order(id="OWN", tax_override=money("1", "USD"))
    await people.owner.orders.UpdateOrder(
        order_service_pb2.UpdateOrderRequest(order=override, update_mask={"paths": ["tax_override"]})
    )
    await checked_out(people.ada, "OWN", promise())
    sheet = await calculated(people.ada, "OWN")
    assert (amounts(sheet)["tape"][0], cents(sheet.order.tax), cents(sheet.order.included_tax)) == (932, 100, 0)
    await sqlite_market.check()


async def test_a_buyer_does_not_exempt_itself_and_what_cannot_be_is_named(shared_sqlite_market: Marketplace) -> None:
    people = shared_sqlite_market.people
    assert (await refused(exempt(people.ada, CERTIFICATE))).reason == "PARTY_NOT_ADMITTED"
    found = await refused(exempt(people.owner, TaxExemption(country="ZZ", certificate_id="C-1"), TaxExemption(country="US")))
    assert violations(found) == {
        ("buyer.tax_exemptions[0].country", "FIELD_INVALID"),
        ("buyer.tax_exemptions[1].certificate_id", "FIELD_REQUIRED"),
    }
