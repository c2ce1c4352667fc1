"""What is done to the processes, and how it is measured."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc
from google.type.decimal_pb2 import Decimal

from services.host.sample.marketplace import CURRENCY, PASSWORD, SHOP, dock, set_up
from tests.bench.processes import Fleet
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import checkout_service_pb2_grpc, line_item_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import payment_pb2
from waybill.pricing.v1 import price_schedule_service_pb2
from waybill_client import AsyncWaybill, money

PRODUCTS = 60
SUPPLIERS = ("northforge", "lumenworks", "wh-east")
Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One series. Times in milliseconds, CPU in milliseconds a checkout."""

    name: str
    concurrency: int
    rate: float
    p50: float
    p99: float
    cpu: dict[str, float]

    @property
    def cpu_total(self) -> float:
        """CPU of all processes."""
        return sum(self.cpu.values())


async def stock_up(owner: AsyncWaybill) -> None:
    """The demo's marketplace and products with stock for everything."""
    await set_up(owner)
    ids = [f"b{i}" for i in range(PRODUCTS)]
    suppliers = [SUPPLIERS[i % len(SUPPLIERS)] for i in range(PRODUCTS)]
    await owner.products.BatchCreateProducts(
        product_service_pb2.BatchCreateProductsRequest(
            products=[
                product_pb2.Product(
                    id=id,
                    name=id,
                    active=True,
                    shippable=True,
                    track_inventory=True,
                    default_supplier_id=s,
                    ship_from_address_id=dock(s),
                    weight_kg=Decimal(value="0.1"),
                )
                for id, s in zip(ids, suppliers, strict=True)
            ]
        )
    )
    await owner.price_schedules.BatchCreatePriceSchedules(
        price_schedule_service_pb2.BatchCreatePriceSchedulesRequest(
            price_schedules=[
                price_schedule_service_pb2.PriceSchedule(
                    id=id,
                    currency=CURRENCY,
                    price_breaks=[price_schedule_service_pb2.PriceBreak(quantity=1, price=money("9.99", CURRENCY))],
                )
                for id in ids
            ]
        )
    )
    await owner.price_schedules.AssignPriceSchedules(
        price_schedule_service_pb2.AssignPriceSchedulesRequest(
            assignments=[price_schedule_service_pb2.PriceAssignment(product_id=i, price_schedule_id=i) for i in ids]
        )
    )
    await owner.inventory.BatchCreateInventoryRecords(
        inventory_service_pb2.BatchCreateInventoryRecordsRequest(
            inventory_records=[
                inventory_service_pb2.NewInventoryRecord(
                    inventory_record=inventory_pb2.InventoryRecord(
                        id=f"{id}-stock", product_id=id, supplier_id=s, location_id=dock(s), active=True
                    ),
                    opening_quantity=1_000_000,
                )
                for id, s in zip(ids, suppliers, strict=True)
            ]
        )
    )


def lines(count: int) -> list[line_item_pb2.LineItem]:
    """Lines over all suppliers."""
    return [line_item_pb2.LineItem(product_id=f"b{i % PRODUCTS}", quantity=1) for i in range(count)]


def place(client: AsyncWaybill, count: int) -> Work:
    """The whole checkout in one call."""

    async def work() -> None:
        await client.checkout.PlaceOrder(pb.PlaceOrderRequest(line_items=lines(count)), timeout=120)

    return work


def place_bare(client: AsyncWaybill, count: int) -> Work:
    """The same without a request id: what idempotency costs is the difference."""

    async def work() -> None:
        stub = checkout_service_pb2_grpc.CheckoutServiceStub(client._channel_of("/waybill.order.v1.CheckoutService/PlaceOrder"))
        await stub.PlaceOrder(pb.PlaceOrderRequest(line_items=lines(count)), timeout=120, metadata=await client._metadata())

    return work


def checkout(client: AsyncWaybill, count: int) -> Work:
    """The whole checkout, step by step: six calls."""

    async def work() -> None:
        made = await client.orders.CreateOrder(order_service_pb2.CreateOrderRequest(line_items=lines(count)))
        id = made.order.id
        sheet = (await client.checkout.EstimateShipping(pb.EstimateShippingRequest(order_id=id))).worksheet
        chosen = [pb.ShipMethodSelection(ship_estimate_id=e.id, ship_method_id="ground") for e in sheet.ship_estimates]
        await client.checkout.SelectShipMethods(pb.SelectShipMethodsRequest(order_id=id, selections=chosen))
        await client.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id=id))
        await client.checkout.AddPayments(
            pb.AddPaymentsRequest(order_id=id, payments=[payment_pb2.Payment(type="purchase_order")])
        )
        await client.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id))

    return work


def floor_work(address: str) -> Work:
    """One call to the floor's coordinator."""
    call = grpc.aio.insecure_channel(address).unary_unary("/floor/checkout")

    async def work() -> None:
        await call(b"checkout")

    return work


async def shopper(fleet: Fleet) -> AsyncWaybill:
    """A buyer; every context at its own address."""
    return AsyncWaybill("", SHOP, username="ada", password=PASSWORD, addresses=fleet.addresses)


async def measure(name: str, fleet: Fleet, work: Work, concurrency: int, count: int) -> Measured:
    """Runs `count` pieces of work, so many at a time, after a short warm-up."""
    await asyncio.gather(*(work() for _ in range(min(concurrency, 8))))
    times: list[float] = []
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            began = time.perf_counter()
            await work()
            times.append((time.perf_counter() - began) * 1_000)

    before, began = fleet.cpu(), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    wall, after = time.perf_counter() - began, fleet.cpu()
    times.sort()
    cpu = {name: (after[name] - before[name]) * 1_000 / count for name in after}
    return Measured(
        name, concurrency, count / wall, statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))], cpu
    )


async def watch_lag(client: AsyncWaybill, per_second: float, seconds: float) -> list[float]:
    """Milliseconds from a change to its arrival at a watcher, sorted, while orders are placed at a fixed rate whatever
    the answers take."""
    lags: list[float] = []
    listening = asyncio.Event()

    async def listen() -> None:
        request = order_service_pb2.WatchOrdersRequest(direction=order_pb2.DIRECTION_OUTGOING)
        async for message in client.orders.WatchOrders(request):
            listening.set()
            if message.HasField("event"):
                lags.append((time.time() - message.event.event_time.ToNanoseconds() / 1e9) * 1_000)

    listener = asyncio.create_task(listen())
    await listening.wait()
    placing = []
    work = place(client, 3)
    for _ in range(int(per_second * seconds)):
        placing.append(asyncio.create_task(work()))
        await asyncio.sleep(1 / per_second)
    await asyncio.gather(*placing)
    await asyncio.sleep(1.0)
    listener.cancel()
    return sorted(lags)
