"""No use case makes more calls or sends more statements for more lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from libs.rpc import counters
from services.host.process.embedded import Host, running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import CURRENCY
from tests.bench import load
from tests.support.sealing import sealing_key_for
from waybill.catalog.v1 import spec_pb2, spec_service_pb2
from waybill.fulfillment.v1 import shipment_pb2, shipment_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, line_item_service_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill.payment.v1 import spending_account_service_pb2 as account_pb
from waybill.pricing.v1 import cost_schedule_service_pb2 as cost_pb
from waybill.pricing.v1 import price_schedule_service_pb2 as schedule_pb
from waybill.pricing.v1 import tax_rate_service_pb2 as tax_pb
from waybill.shipping.v1 import rate_table_service_pb2 as table_pb
from waybill.type.v1 import price_mark_up_pb2 as mark_up_pb
from waybill_client import AsyncWaybill, money

FEW, MANY = 3, 999
"""Both over the same three suppliers, so that only the number of lines differs."""
Counts = dict[str, tuple[int, int]]


class Counter:
    """RPCs and statements of one step."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.found: Counts = {}
        self._mark()

    def _mark(self) -> None:
        self._calls, self._statements = counters.served.total(), self._host.statements

    def step(self, name: str) -> None:
        """What the step that has just ended took."""
        self.found[name] = (counters.served.total() - self._calls, self._host.statements - self._statements)
        self._mark()


async def steps(host: Host, ada: AsyncWaybill, sam: AsyncWaybill, count: int) -> Counts:
    """A checkout of so many lines, step by step, and its shipment."""
    counter, id, more = Counter(host), f"N{count}", load.lines(count)
    for i, line in enumerate(more):
        line.id = f"more{i}"
    await ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id), line_items=load.lines(count)))
    counter.step("create")
    await ada.line_items.UpdateLineItems(
        line_item_service_pb2.UpdateLineItemsRequest(
            order_id=id, line_items=[line_item_pb2.LineItem(id=f"l{i + 1}", quantity=2) for i in range(count)]
        )
    )
    counter.step("update lines")
    await ada.line_items.AddLineItems(
        line_item_service_pb2.AddLineItemsRequest(
            order_id=id,
            line_items=[
                line_item_pb2.LineItem(id=f"more{i}", product_id=one.product_id, quantity=1) for i, one in enumerate(more)
            ],
        )
    )
    counter.step("add lines")
    await ada.line_items.RemoveLineItems(
        line_item_service_pb2.RemoveLineItemsRequest(order_id=id, line_item_ids=[f"more{i}" for i in range(count)])
    )
    counter.step("remove lines")
    sheet = (await ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=id))).worksheet
    counter.step("estimate")
    await sam.checkout.SimulateOrderSourcing(pb.SimulateOrderSourcingRequest(order_id=id))
    counter.step("simulate sourcing")
    chosen = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
    await ada.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id=id, selections=chosen))
    counter.step("select")
    await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=id))
    counter.step("calculate")
    await ada.checkout.AddPayments(pb.AddPaymentsRequest(order_id=id, payments=[payment_pb2.Payment(type="purchase_order")]))
    counter.step("pay")
    await ada.checkout.ValidateOrder(pb.ValidateOrderRequest(order_id=id))
    counter.step("validate")
    await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id))
    counter.step("submit")
    tree = await sam.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=id))
    counter.step("tree")
    first = tree.supplier_orders[0]
    shipment = shipment_pb2.Shipment(id=f"{id}-s")
    shipment.ship_time.GetCurrentTime()
    for line in first.line_items:
        shipment.items.add(supplier_order_id=first.id, line_item_id=line.line_item_id, quantity=line.quantity)
    await sam.shipments.CreateShipment(shipment_service_pb2.CreateShipmentRequest(shipment=shipment))
    counter.step("ship")
    await load.place(ada, count)()
    counter.step("place order")
    return counter.found


async def enrich(owner: AsyncWaybill) -> None:
    """From now on there is something to choose of each product, prices and freight include their tax, suppliers are paid by
    schedules, and ada has points.
    """
    products = [f"b{n}" for n in range(load.PRODUCTS)]
    grade = spec_pb2.Spec(id="grade", name="Grade", required=True)
    for id, amount in (("plain", "0"), ("fine", "1.5")):
        added = mark_up_pb.PriceMarkUp(type=mark_up_pb.PRICE_MARK_UP_TYPE_AMOUNT_PER_QUANTITY, amounts=[money(amount, CURRENCY)])
        grade.options.add(id=id, name=id, mark_up=added)
    await owner.specs.CreateSpec(spec_service_pb2.CreateSpecRequest(spec=grade))
    given = [spec_pb2.ProductSpec(product_id=id, spec_id="grade") for id in products]
    await owner.specs.AssignProductSpecs(spec_service_pb2.AssignProductSpecsRequest(assignments=given))
    mask = {"paths": ["tax_included"]}
    for id in products:
        priced = schedule_pb.PriceSchedule(id=id, tax_included=True)
        await owner.price_schedules.UpdatePriceSchedule(
            schedule_pb.UpdatePriceScheduleRequest(price_schedule=priced, update_mask=mask)
        )
    freight = tax_pb.TaxRate(country="US", region="CA", postal_prefix="9", tax_class="shipping", rate=Decimal(value="0.1"))
    await owner.tax_rates.CreateTaxRate(tax_pb.CreateTaxRateRequest(tax_rate=freight))
    for table in (await owner.rate_tables.ListRateTables(table_pb.ListRateTablesRequest(page_size=100))).rate_tables:
        rated = table_pb.RateTable(id=table.id, tax_included=True)
        await owner.rate_tables.UpdateRateTable(table_pb.UpdateRateTableRequest(rate_table=rated, update_mask=mask))
    costs = cost_pb.BatchCreateCostSchedulesRequest()
    for n, id in enumerate(products):
        supplier = load.SUPPLIERS[n % len(load.SUPPLIERS)]
        cost = costs.cost_schedules.add(id=id, supplier_id=supplier, product_id=id, currency=CURRENCY)
        cost.price_breaks.add(quantity=1, price=money("4", CURRENCY))
    await owner.cost_schedules.BatchCreateCostSchedules(costs)
    points = account_pb.SpendingAccount(id="points", name="Points", buyer_id="acme", active=True, currency="PTS")
    points.order_currency, points.rate.value = CURRENCY, "0.01"
    points.opening_balance.CopyFrom(Money(currency_code="PTS", units=1_000))
    await owner.spending_accounts.CreateSpendingAccount(account_pb.CreateSpendingAccountRequest(spending_account=points))
    hers = account_pb.SpendingAccountAssignment(spending_account_id="points", user_id="ada")
    await owner.spending_accounts.AssignSpendingAccounts(account_pb.AssignSpendingAccountsRequest(assignments=[hers]))


async def rich_steps(host: Host, ada: AsyncWaybill, count: int) -> Counts:
    """The same of an order of which all that could cost more has been made use of."""
    counter, id, chosen = Counter(host), f"R{count}", load.lines(count)
    for line in chosen:
        line.specs.add(spec_id="grade", option_id="fine")
    await ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=id)))
    counter.step("create")
    await ada.line_items.AddLineItems(line_item_service_pb2.AddLineItemsRequest(order_id=id, line_items=chosen))
    counter.step("add lines")
    sheet = (await ada.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=id))).worksheet
    methods = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
    await ada.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id=id, selections=methods))
    counter.step("estimate and select")
    calculated = (await ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=id))).worksheet
    counter.step("calculate")
    assert all(line.tax_included and line.included_tax.nanos for line in calculated.line_items)
    paid = [
        payment_pb2.Payment(type="spending_account", spending_account_id="points", amount=money("2", CURRENCY)),
        payment_pb2.Payment(type="purchase_order"),
    ]
    placed = pb.PlaceOrderRequest(order=order_pb2.Order(id=f"P{count}"), line_items=chosen, payments=paid)
    await ada.checkout.PlaceOrder(placed, timeout=120)
    counter.step("place order")
    (points, _) = (await ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id=f"P{count}"))).payments
    assert (points.unit, points.debited_units.units) == ("PTS", 200)
    return counter.found


@pytest.fixture
async def both(tmp_path: Path, database_url: str) -> tuple[dict[int, Counts], dict[int, Counts]]:
    """The same stories, the plain one and the rich one, with few lines and with many. Background loops rest: their looks are
    nobody's step.
    """
    found: dict[int, Counts] = {}
    rich: dict[int, Counts] = {}
    async with running(
        HostSettings(data=tmp_path, database_url=database_url, sealing_key=sealing_key_for(database_url), background=False)
    ) as host:
        assert host.secret is not None
        owner = AsyncWaybill(host.address, host.secret.client_id, host.secret.client_secret)
        await load.stock_up(owner)
        ada = await AsyncWaybill.connect(host.address, load.SHOP, username="ada", password=load.PASSWORD)
        await load.place(ada, FEW)()
        for count in (FEW, MANY):
            found[count] = await steps(host, ada, owner, count)
        await enrich(owner)
        for count in (FEW, MANY):
            rich[count] = await rich_steps(host, ada, count)
        for client in (owner, ada):
            await client.close()
    return found, rich


async def test_calls_and_statements_do_not_grow_with_lines(both: tuple[dict[int, Counts], dict[int, Counts]]) -> None:
    counted, rich = both
    assert counted[FEW] == counted[MANY]
    assert rich[FEW] == rich[MANY]
    # What is chosen, and what suppliers are paid, come with the calls that are made anyway.
    assert rich[FEW]["add lines"][0] <= 5, rich[FEW]
    assert rich[FEW]["place order"][0] == counted[FEW]["place order"][0], rich[FEW]
    calls, statements = counted[FEW]["place order"]
    assert calls == 10, counted[FEW]
    # The call itself, and pricing's; where lines are added also the directory's, and the catalog's with what it asks.
    assert [counted[FEW][name][0] for name in ("update lines", "remove lines")] == [2, 2], counted[FEW]
    assert counted[FEW]["add lines"][0] <= 5, counted[FEW]
    # Two of them because the sample's buyer has a catalog that is shown by its categories.
    # One of them is what there is to choose of the products, one the approval rules of the buyer.
    assert statements <= 57, counted[FEW]
