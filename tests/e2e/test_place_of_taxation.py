"""Goods are taxed where they are handed over, what needs no shipping where it is billed."""

from __future__ import annotations

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.decimal_pb2 import Decimal

from services.host.sample.marketplace import dock, party
from tests.e2e.steps import promise, refused
from tests.support.marketplace import Marketplace
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import address_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2
from waybill.pricing.v1 import tax_rate_service_pb2 as rates
from waybill.type.v1.address_pb2 import Address

LYON = Address(city="Lyon", postal_code="69001", country="FR")


async def taxed(market: Marketplace) -> None:
    """France taxes a fifth, the place of the western warehouse a hundredth; work lamps are digital."""
    made = [
        rates.TaxRate(country="FR", rate=Decimal(value="0.2")),
        rates.TaxRate(country="US", region="ca", postal_prefix="94607", rate=Decimal(value="0.01")),
    ]
    await market.people.owner.tax_rates.BatchCreateTaxRates(rates.BatchCreateTaxRatesRequest(tax_rates=made))
    await market.people.owner.products.UpdateProduct(
        product_service_pb2.UpdateProductRequest(
            product=product_pb2.Product(id="lamp", shippable=False), update_mask=FieldMask(paths=["shippable"])
        )
    )


async def worked_out(market: Marketplace, order: order_pb2.Order, *lines: line_item_pb2.LineItem) -> list[str]:
    """The rates of the lines of a calculated order."""
    ada = market.people.ada
    await ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order, line_items=lines))
    await ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=order.id))
    sheet = (await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=order.id))).worksheet
    return [line.tax_rate.value for line in sheet.calculation.lines]


async def test_what_needs_no_shipping_is_taxed_where_it_is_billed_and_refused_where_nobody_knows(market: Marketplace) -> None:
    owner, ada = market.people.owner, market.people.ada
    await taxed(market)
    lamp = line_item_pb2.LineItem(id="l1", product_id="lamp", quantity=1)
    assert await worked_out(market, order_pb2.Order(id="BILLED", billing_address=LYON), lamp) == ["0.2"]
    await ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id="BILLED", payments=promise()))
    await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="BILLED"))

    await owner.addresses.UnassignAddresses(
        address_service_pb2.UnassignAddressesRequest(
            assignments=[address_service_pb2.AddressAssignment(party=party("BUYER", "acme"), address_id="hq-acme")]
        )
    )
    lost = await refused(worked_out(market, order_pb2.Order(id="NOWHERE"), lamp))
    assert lost.reason == "CALCULATION_REFUSED"
    assert [(rule.reason, rule.subject) for rule in lost.rules] == [("TAX_DESTINATION_MISSING", "line_items[l1]")]


async def test_what_is_picked_up_is_taxed_at_the_location_whether_or_not_its_stock_is_counted(sqlite_market: Marketplace) -> None:
    await taxed(sqlite_market)
    line = line_item_pb2.LineItem(id="l1", product_id="tarp", quantity=1, pickup_location_id=dock("wh-west"))
    for counted in (True, False):
        tarp = product_pb2.Product(id="tarp", track_inventory=counted)
        await sqlite_market.people.owner.products.UpdateProduct(
            product_service_pb2.UpdateProductRequest(product=tarp, update_mask=FieldMask(paths=["track_inventory"]))
        )
        order = order_pb2.Order(id=f"PICKED-{counted}", shipping_address=LYON)
        assert await worked_out(sqlite_market, order, line) == ["0.01"], counted
