"""A marketplace that tests without a loop of their own can drive step by step, and one life in it."""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from services.host.sample.marketplace import CURRENCY, PASSWORD, dock
from tests.support.marketplace import Marketplace, marketplace
from tests.support.order_model import PRICES, RECORDS, Model, Order, Part, PartLine
from tests.support.payment_model import GIFT
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import api_client_service_pb2, ordering_context_service_pb2
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.fulfillment.v1 import supplier_order_pb2 as so
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so_service
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2
from waybill.payment.v1 import spending_account_service_pb2 as account_pb
from waybill.pricing.v1 import price_schedule_service_pb2
from waybill_client import AsyncWaybill, WaybillError, money
from waybill_client.money import decimal

T = TypeVar("T")
COUNTER = "counter"
"""A channel that does not forward by itself."""
ALL = order_pb2.DIRECTION_ALL


@dataclass(slots=True)
class Call:
    """A mutation that had its effect."""

    method: Callable[[Any], Awaitable[Any]]
    request: Any
    refusal: str = ""
    """Reason of a refusal that is an effect too: that of a submit."""


@dataclass(slots=True)
class Life:
    """One run of the model: products, stock, a gift card of its own."""

    market: Marketplace
    counter: AsyncWaybill
    tag: str
    model: Model = field(default_factory=Model)
    calls: list[Call] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def buyer(self, order: Order) -> AsyncWaybill:
        """Ada, through the order's channel."""
        return self.market.people.ada if order.forwards else self.counter

    def request_id(self) -> str:
        """The next one."""
        return f"{self.tag}-{next(self._numbers)}"

    async def send(self, method: Any, request: Any) -> Any:
        """A mutation under a request id of its own; what had an effect can be replayed."""
        request.request_id = self.request_id()
        answer = await method(request)
        self.calls.append(Call(method, request))
        return answer

    async def refused(self, method: Any, request: Any) -> str:
        """The reason of a call that must not succeed."""
        request.request_id = self.request_id()
        try:
            answer = await method(request)
        except WaybillError as error:
            return error.reason
        raise AssertionError(f"succeeded: {request} {answer}")

    def product(self, kind: str) -> str:
        """Id of a product of this life."""
        return f"{kind}-{self.tag}"

    async def begin(self) -> None:
        """Products, prices, stock and a gift card."""
        owner = self.market.people.owner
        await owner.products.BatchCreateProducts(
            product_service_pb2.BatchCreateProductsRequest(
                products=[
                    product_pb2.Product(
                        id=self.product(kind),
                        name=kind,
                        active=True,
                        default_supplier_id=next(iter(records)),
                        supplier_ids=list(records)[1:],
                        ship_from_address_id=dock(next(iter(records))),
                        shippable=True,
                        track_inventory=True,
                    )
                    for kind, records in RECORDS.items()
                ]
            )
        )
        schedule, assignment = price_schedule_service_pb2.PriceSchedule, price_schedule_service_pb2.PriceAssignment
        await owner.price_schedules.BatchCreatePriceSchedules(
            price_schedule_service_pb2.BatchCreatePriceSchedulesRequest(
                price_schedules=[
                    schedule(
                        id=self.product(kind),
                        name=kind,
                        currency=CURRENCY,
                        price_breaks=[price_schedule_service_pb2.PriceBreak(quantity=1, price=money(price, CURRENCY))],
                    )
                    for kind, price in PRICES.items()
                ]
            )
        )
        await owner.price_schedules.AssignPriceSchedules(
            price_schedule_service_pb2.AssignPriceSchedulesRequest(
                assignments=[assignment(product_id=self.product(kind), price_schedule_id=self.product(kind)) for kind in PRICES]
            )
        )
        await owner.inventory.BatchCreateInventoryRecords(
            inventory_service_pb2.BatchCreateInventoryRecordsRequest(
                inventory_records=[
                    inventory_service_pb2.NewInventoryRecord(
                        inventory_record=inventory_pb2.InventoryRecord(
                            id=f"{self.product(kind)}-{supplier}",
                            product_id=self.product(kind),
                            supplier_id=supplier,
                            location_id=dock(supplier),
                            active=True,
                        ),
                        opening_quantity=quantity,
                    )
                    for kind, records in RECORDS.items()
                    for supplier, quantity in records.items()
                ]
            )
        )
        await gift_card(owner, self.gift)

    @property
    def gift(self) -> str:
        """Id of the gift card."""
        return f"gift-{self.tag}"

    async def parts(self, order: Order) -> dict[str, Part]:
        """The order's supplier orders, from their owner."""
        answer = await self.market.people.sam.supplier_orders.ListSupplierOrders(
            so_service.ListSupplierOrdersRequest(filter=f'order_id = "{order.id}"', order_by="id")
        )
        return {s.id: part(s) for s in answer.supplier_orders}

    async def agrees(self) -> None:
        """Fails unless all that clients see is as the model says; waits for reports that are on their way."""
        end = time.monotonic() + 3
        while True:
            try:
                await self._compare()
            except AssertionError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.05)
            else:
                return

    async def _compare(self) -> None:
        owner = self.market.people.owner
        seen = await owner.inventory.ListInventoryRecords(
            inventory_service_pb2.ListInventoryRecordsRequest(
                filter=" OR ".join(f'product_id = "{self.product(kind)}"' for kind in RECORDS)
            )
        )
        for kind in RECORDS:
            mine = [r for r in seen.inventory_records if r.product_id == self.product(kind)]
            assert sum(r.on_hand for r in mine) == self.model.on_hand[kind], ("on hand", kind)
            assert sum(r.reserved for r in mine) == 0, ("reserved", kind)
            assert sum(r.allocated for r in mine) == self.model.allocated(kind), ("allocated", kind)
            assert all(r.available >= 0 for r in mine), ("available", kind)
        account = (
            await owner.spending_accounts.GetSpendingAccount(account_pb.GetSpendingAccountRequest(spending_account_id=self.gift))
        ).spending_account
        assert (decimal(account.balance), decimal(account.reserved)) == (self.model.balance(), 0)
        for order in self.model.orders.values():
            await compare_order(self, order)


async def compare_order(life: Life, order: Order) -> None:
    """One order, its lines, supplier orders, payments and history."""
    ada = life.buyer(order)
    seen = await ada.orders.GetOrder(order_service_pb2.GetOrderRequest(order_id=order.id, direction=ALL, include_line_items=True))
    status = order_pb2.OrderStatus.Name(seen.order.status).removeprefix("ORDER_STATUS_")
    assert (order.id, status) == (order.id, order.status)
    assert seen.order.calculated == order.calculated
    if order.calculated:
        assert decimal(seen.order.subtotal) == order.subtotal
        assert decimal(seen.order.total) == order.calculated_total
    assert decimal(seen.order.canceled.total) == order.canceled
    opened = order.status in ("OPEN", "COMPLETED") or bool(order.parts)
    assert {x.id: (x.quantity, x.quantity_shipped, x.quantity_canceled, x.quantity_open) for x in seen.line_items} == {
        id: (x.quantity, x.shipped, x.canceled, x.quantity - x.shipped - x.canceled if opened else 0)
        for id, x in order.lines.items()
    }
    paid = (await ada.checkout.ListPayments(pb.ListPaymentsRequest(order_id=order.id))).payments
    assert {p.id: payment_pb2.PaymentState.Name(p.state).removeprefix("PAYMENT_STATE_") for p in paid} == {
        id: p.state for id, p in order.payments.items()
    }
    history = await ada.orders.ListOrderHistory(
        order_service_pb2.ListOrderHistoryRequest(order_id=order.id, direction=ALL, page_size=1_000)
    )
    assert [e.sequence for e in history.events] == list(range(1, seen.order.version + 1))
    attempts = seen.order.submission.attempt if seen.order.HasField("submission") else 0
    assert attempts == order.attempts
    assert not attempts or seen.order.submission.finished
    if order.parts:
        assert shown(await life.parts(order)) == shown(order.parts)
        tree = await life.market.people.sam.orders.GetOrderTree(order_service_pb2.GetOrderTreeRequest(order_id=order.id))
        assert shown({s.id: part(s) for s in tree.supplier_orders}) == shown(order.parts)


def shown(parts: dict[str, Part]) -> dict[str, Any]:
    """Supplier orders that hold units, as far as all views agree on."""
    return {
        id: (p.supplier, p.status, {line: (x.quantity, x.shipped, x.packed, x.canceled) for line, x in p.lines.items()})
        for id, p in parts.items()
        if p.lines
    }


def part(s: so.SupplierOrder) -> Part:
    """A supplier order as the model has it."""
    lines = {
        x.line_item_id: PartLine(
            x.quantity,
            sum(a.quantity - a.quantity_shipped for a in x.allocations),
            x.quantity_shipped,
            x.quantity_packed,
            x.quantity_canceled,
        )
        for x in s.line_items
        if x.quantity
    }
    status = so.SupplierOrderStatus.Name(s.status).removeprefix("SUPPLIER_ORDER_STATUS_")
    return Part(s.supplier_id, status, s.implicit, lines)


async def gift_card(owner: AsyncWaybill, id: str) -> None:
    """A card of Ada's."""
    await owner.spending_accounts.CreateSpendingAccount(
        account_pb.CreateSpendingAccountRequest(
            spending_account=account_pb.SpendingAccount(
                id=id, name="Gift card", buyer_id="acme", currency=CURRENCY, active=True, opening_balance=money(GIFT, CURRENCY)
            )
        )
    )
    await owner.spending_accounts.AssignSpendingAccounts(
        account_pb.AssignSpendingAccountsRequest(
            assignments=[account_pb.SpendingAccountAssignment(spending_account_id=id, user_id="ada")]
        )
    )


@dataclass(slots=True)
class Shop:
    """A marketplace in a loop that runs only while it is asked something."""

    runner: asyncio.Runner
    market: Marketplace
    counter: AsyncWaybill
    seen: Counter[str] = field(default_factory=Counter)
    """What the lives came to."""
    _lives: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def run(self, work: Any) -> Any:
        """The result of a coroutine."""
        return self.runner.run(work)

    def life(self) -> Life:
        """A new one."""
        made = Life(self.market, self.counter, f"x{next(self._lives)}")
        self.run(made.begin())
        return made


@contextmanager
def shop(database_url: str) -> Iterator[Shop]:
    """A marketplace with a second channel and two cards of Ada's; checked at the end."""
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        opened = AsyncExitStack()
        market = runner.run(opened.enter_async_context(marketplace(Path(folder), database_url, rests=True)))
        try:
            counter = runner.run(opened.enter_async_context(_counter(market)))
            yield Shop(runner, market, counter)
        except BaseException:
            runner.run(opened.__aexit__(*sys.exc_info()))
            raise
        runner.run(opened.aclose())


@asynccontextmanager
async def _counter(market: Marketplace) -> AsyncIterator[AsyncWaybill]:
    await market.people.owner.api_clients.CreateApiClient(
        api_client_service_pb2.CreateApiClientRequest(
            api_client=api_client_service_pb2.ApiClient(
                id=COUNTER,
                name="Counter",
                active=True,
                allow_any_buyer=True,
                policy=ordering_context_service_pb2.OrderingPolicy(
                    auto_forward=ordering_context_service_pb2.AUTO_FORWARD_NONE,
                    require_ship_methods=True,
                    payment_coverage=ordering_context_service_pb2.PAYMENT_COVERAGE_TOTAL,
                    sourcing_strategy="default_supplier",
                    payment_types=["credit_card", "spending_account", "purchase_order"],
                ),
            )
        )
    )
    for id, token in (("card", "tok_approve"), ("declined", "tok_decline")):
        await market.people.ada.credit_cards.CreateCreditCard(
            credit_card_service_pb2.CreateCreditCardRequest(
                credit_card=credit_card_service_pb2.CreditCard(id=id, token=token, partial_number="4242")
            )
        )
    async with AsyncWaybill(market.address, COUNTER, username="ada", password=PASSWORD) as client:
        yield client
