"""No use case makes more calls or sends more statements for more lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.rpc import counters
from services.host.process.embedded import Host, running
from services.host.process.settings import HostSettings
from tests.bench import load
from tests.support.sealing import sealing_key_for
from waybill.fulfillment.v1 import shipment_pb2, shipment_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, line_item_service_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill_client import AsyncWaybill

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


@pytest.fixture
async def counted(tmp_path: Path, database_url: str) -> dict[int, Counts]:
    """The same story with few lines and with many. Background loops rest: their looks are nobody's step."""
    found: dict[int, Counts] = {}
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
        for client in (owner, ada):
            await client.close()
    return found


async def test_calls_and_statements_do_not_grow_with_lines(counted: dict[int, Counts]) -> None:
    assert counted[FEW] == counted[MANY]
    calls, statements = counted[FEW]["place order"]
    assert calls == 10, counted[FEW]
    # The call itself, and pricing's; where lines are added also the directory's, and the catalog's with what it asks.
    assert [counted[FEW][name][0] for name in ("update lines", "remove lines")] == [2, 2], counted[FEW]
    assert counted[FEW]["add lines"][0] <= 5, counted[FEW]
    # Two of them because the sample's buyer has a catalog that is shown by its categories.
    # One of them is what there is to choose of the products.
    assert statements <= 56, counted[FEW]
