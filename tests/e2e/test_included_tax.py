"""Prices and freight that include their tax beside such that it comes on top of: from the quote to what a cancel gives back."""

from __future__ import annotations

from fractions import Fraction

import pytest
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from services.host.sample.marketplace import CURRENCY
from tests.e2e.steps import cents, checked_out, promise, ship
from tests.support.marketplace import OUTGOING, Marketplace, create, get
from waybill.order.v1 import checkout_service_pb2, order_pb2, order_service_pb2
from waybill.pricing.v1 import price_schedule_service_pb2 as schedules
from waybill.pricing.v1 import tax_rate_service_pb2 as rates
from waybill.shipping.v1 import rate_table_service_pb2 as tables
from waybill_client import AsyncWaybill

GOODS, FREIGHT = Fraction(725, 10_000), Fraction(1, 10)


def part(net: Money, rate: Fraction) -> int:
    """Cents of an amount that are tax, worked out with fractions."""
    exact = cents(net) - cents(net) / (1 + rate)
    return int((exact + Fraction(1, 2)).__floor__())


async def with_tax(owner: AsyncWaybill) -> None:
    """Tape and all freight include their tax from now on; freight is taxed at a tenth."""
    schedule = schedules.PriceSchedule(id="list-tape", tax_included=True)
    await owner.price_schedules.UpdatePriceSchedule(
        schedules.UpdatePriceScheduleRequest(price_schedule=schedule, update_mask={"paths": ["tax_included"]})
    )
    rate = rates.TaxRate(country="US", region="CA", postal_prefix="9", tax_class="shipping", rate=Decimal(value="0.1"))
    await owner.tax_rates.CreateTaxRate(rates.CreateTaxRateRequest(tax_rate=rate))
    listed = await owner.rate_tables.ListRateTables(tables.ListRateTablesRequest(page_size=100))
    for table in listed.rate_tables:
        change = tables.RateTable(id=table.id, tax_included=True)
        await owner.rate_tables.UpdateRateTable(
            tables.UpdateRateTableRequest(rate_table=change, update_mask={"paths": ["tax_included"]})
        )


@pytest.mark.on_sqlite
async def test_included_tax_is_shown_from_the_quote_to_what_a_cancel_gives_back(market: Marketplace) -> None:
    people = market.people
    await with_tax(people.owner)
    await create(people.ada, "MIXED", tape=3, anvil=1)
    built = (await people.ada.checkout.GetWorksheet(checkout_service_pb2.GetWorksheetRequest(order_id="MIXED"))).worksheet
    assert {line.product_id: line.tax_included for line in built.line_items} == {"tape": True, "anvil": False}
    await checked_out(people.ada, "MIXED", promise())
    sheet = (await people.ada.checkout.GetWorksheet(checkout_service_pb2.GetWorksheetRequest(order_id="MIXED"))).worksheet
    order = sheet.order
    lines = {line.product_id: line for line in sheet.line_items}
    tape, anvil = lines["tape"], lines["anvil"]
    assert (cents(tape.tax), cents(tape.included_tax)) == (0, part(tape.subtotal, GOODS))
    assert (cents(anvil.tax) > 0, cents(anvil.included_tax)) == (True, 0)
    freight = sheet.calculation.shipments
    assert [(cents(s.tax), cents(s.included_tax)) for s in freight] == [(0, part(s.cost, FREIGHT)) for s in freight]
    assert all(m.tax_included for e in sheet.ship_estimates for m in e.ship_methods)
    assert cents(order.included_tax) == cents(tape.included_tax) + sum(cents(s.included_tax) for s in freight)
    assert cents(order.total) == cents(order.subtotal) + cents(order.shipping_cost) + cents(anvil.tax)

    await people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="MIXED"))
    tree = await people.sam.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id="MIXED"))
    assert sum(cents(s.included_tax) for s in tree.supplier_orders) == cents(order.included_tax)
    await market.check()
    mine = next(s for s in tree.supplier_orders if any(x.product_id == "tape" for x in s.line_items))
    (theirs,) = [x for x in mine.line_items if x.product_id == "tape"]
    await ship(people.clerks[mine.supplier_id], mine.id, theirs.line_item_id, 1)
    rest = (await people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="MIXED"))).order
    assert 0 < cents(rest.canceled.included_tax) < cents(rest.included_tax) == cents(order.included_tax)
    shown = await get(people.ada, "MIXED", OUTGOING)
    assert shown.canceled == rest.canceled
    await market.check()


async def test_an_order_that_is_canceled_whole_gives_all_of_its_included_tax_back(sqlite_market: Marketplace) -> None:
    people = sqlite_market.people
    await with_tax(people.owner)
    await create(people.ada, "NONE", tape=2)
    await checked_out(people.ada, "NONE", promise())
    await people.ada.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id="NONE"))
    gone = (await people.sam.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id="NONE"))).order
    assert gone.status == order_pb2.ORDER_STATUS_CANCELED
    assert gone.included_tax.currency_code == CURRENCY
    assert cents(gone.canceled.included_tax) == cents(gone.included_tax) > 0
    await sqlite_market.check()
