"""Shipping is taxed where it goes, and by what is charged for it."""

from __future__ import annotations

from google.type.decimal_pb2 import Decimal

from libs.protoconv import money_micros
from tests.support.marketplace import Marketplace
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2
from waybill.pricing.v1 import tax_rate_service_pb2 as rates
from waybill.type.v1.address_pb2 import Address
from waybill_client import money

DENVER = Address(city="Denver", region="CO", postal_code="80202", country="US")
CENT = 10_000


def tenth(cost: int) -> int:
    """A tenth, rounded half up to the cent."""
    return (cost // 10 + CENT // 2) // CENT * CENT


async def calculated(market: Marketplace) -> tuple[order_pb2.Order, dict[str, tuple[int, int]]]:
    """The order, and cost and tax of shipping by estimate, in micros."""
    owner = market.people.owner
    sheet = (await owner.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="TAX"))).worksheet
    parts = {s.ship_estimate_id: (money_micros(s.cost), money_micros(s.tax)) for s in sheet.calculation.shipments}
    return sheet.order, parts


async def test_shipping_is_taxed_at_each_groups_own_address_and_by_the_cost_that_was_set(market: Marketplace) -> None:
    owner, ada = market.people.owner, market.people.ada
    rate = rates.TaxRate(country="US", region="CO", tax_class="shipping", rate=Decimal(value="0.1"))
    await owner.tax_rates.CreateTaxRate(rates.CreateTaxRateRequest(tax_rate=rate))
    lines = [
        line_item_pb2.LineItem(id="home", product_id="anvil", quantity=1),
        line_item_pb2.LineItem(id="there", product_id="anvil", quantity=1, shipping_address=DENVER),
    ]
    await ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id="TAX"), line_items=lines))

    async def selected() -> dict[str, str]:
        """Estimates by their line, each with its method."""
        sheet = (await owner.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id="TAX"))).worksheet
        chosen = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
        await owner.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id="TAX", selections=chosen))
        return {e.items[0].line_item_id: e.id for e in sheet.ship_estimates}

    of_line = await selected()
    order, parts = await calculated(market)
    home, there = parts[of_line["home"]], parts[of_line["there"]]
    assert (there[0] > 0, home[1]) == (True, 0)
    assert there[1] == tenth(there[0])

    for own in ("7.00", "0.00"):
        change = order_pb2.Order(id="TAX", shipping_cost_override=money(own, "USD"))
        await owner.orders.UpdateOrder(order_service_pb2.UpdateOrderRequest(order=change))
        of_line = await selected()
        order, parts = await calculated(market)
        assert order.shipping_cost == money(own, "USD")
        assert sum(cost for cost, _ in parts.values()) == money_micros(money(own, "USD"))
        home, there = parts[of_line["home"]], parts[of_line["there"]]
        assert (home[1], there[1]) == (0, tenth(there[0]))
        assert (there[0] > 0) == (own != "0.00")
