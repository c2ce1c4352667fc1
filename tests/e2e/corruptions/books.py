"""A marketplace with orders in every state, and what a corruption of it is."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from libs.db import Database
from libs.db.tuning import Tuning
from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import CURRENCY
from services.host.sample.parties import sign_in
from services.order.adapters.db.tables import ORDERS
from services.payment.adapters.db.tables import PAYMENTS, TRANSACTIONS
from services.payment.adapters.gateways.testing import TestGateway
from services.pricing.adapters.db.tables import REDEMPTIONS, RESERVATIONS, USES
from tests.e2e.steps import declare_facet, policy, promote, propose, ready, set_cost, ship, vary
from tests.support.approvers import asked
from tests.support.loops import steps
from tests.support.marketplace import Marketplace, create
from tests.support.prepared import Prepared
from tests.support.sealing import sealing_key_for
from waybill.directory.v1 import cost_center_service_pb2
from waybill.directory.v1.ordering_context_service_pb2 import PAYMENT_CAPTURE_ON_SHIPMENT, PAYMENT_COVERAGE_NONE
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2, shipment_pb2, shipment_service_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as supplier_pb
from waybill.order.v1 import approval_rule_service_pb2, cart_service_pb2, checkout_service_pb2, order_service_pb2
from waybill.order.v1 import order_sub_status_service_pb2 as sub_status_pb
from waybill.order.v1.order_pb2 import ORDER_STATUS_OPEN
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2, payment_service_pb2, spending_account_service_pb2
from waybill.payment.v1 import payment_type_service_pb2 as type_pb
from waybill_client import AsyncWaybill, WaybillError, money

DONE, OPEN, GONE, CART, NO, MOVED, CUT, HELD = "DONE", "OPEN", "GONE", "CART", "NO", "MOVED", "CUT", "HELD"
"""Completed and paid by three means; partly shipped; canceled; not submitted; refused twice; rejected by a supplier; shipped
in part and the rest canceled; on hold, as its card is no longer good."""

CHARGED = "CHARGED"
"""Shipped in part, and what has left was captured."""
BINNED = "BINNED"
"""An order that was deleted."""
SENT = "SENT"
WIRED = "WIRED"
"""An order whose payment waited for its buyer."""
BUILT = "BUILT"
"""An order whose lines have prices, and that was never calculated."""
COUNTED = "tongs-northforge"
"""A record whose units were counted once more."""
LOW = "anvil-northforge"
"""A record that was low, and is not any more."""


@dataclass(slots=True)
class Books:
    """The marketplace, its databases, and the keys of its orders."""

    market: Marketplace
    keys: dict[str, uuid.UUID]

    def database(self, context: str) -> Database:
        """A service's own."""
        found = self.market.host.apps[context].database
        assert found is not None
        return found

    async def row(self, context: str, table: sa.Table, *where: Any) -> dict[str, Any]:
        """The first row that there is."""
        statement = sa.select(table).where(*where).order_by(*table.primary_key)
        async with self.database(context).reading() as tx:
            found = (await tx.execute(statement)).mappings().first()
        assert found is not None, f"no row of {table.name} where {[str(w) for w in where]}"
        return dict(found)


Make = Callable[[Books], Any]
"""Statements, or a coroutine of them."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """What breaks a rule. `also` are rules that break with it."""

    context: str
    rule: str
    subject: str
    make: Make
    also: frozenset[str] = frozenset()
    database: str = ""
    """Whose database is changed; the context's own unless a comparison is broken."""

    async def statements(self, books: Books) -> Sequence[Any]:
        """What is executed."""
        made = self.make(books)
        return await made if hasattr(made, "__await__") else made


def breaks(context: str, rule: str, subject: str, make: Make, *also: str, database: str = "") -> Corruption:
    """A corruption."""
    return Corruption(context, rule, subject, make, frozenset(also), database or context)


@asynccontextmanager
async def books(data: Path, prepared: Prepared) -> AsyncIterator[Books]:
    """Nothing runs in the background: what is broken stays so until it is found."""
    async with running(
        HostSettings(
            data=data,
            database_url=prepared.database_url,
            sealing_key=sealing_key_for(prepared.database_url),
            tuning=Tuning(pool_size=8),
            background=False,
        )
    ) as host:
        owner = AsyncWaybill(host.address, prepared.secret.client_id, prepared.secret.client_secret)
        people = await sign_in(host.address, owner)
        market = Marketplace(host, people, prepared.secret, prepared.database_url)
        try:
            await _orders(market)
            await _looked_at(owner)
            await asked(market, "ASKED")
            made = Books(market, await _keys(market))
            await _redeemed(made)
            yield made
        finally:
            await people.close()


async def _keys(market: Marketplace) -> dict[str, uuid.UUID]:
    database = market.host.apps["order"].database
    assert database is not None
    async with database.reading() as tx:
        rows = await tx.execute(sa.select(ORDERS.c.id, ORDERS.c.key).where(ORDERS.c.kind == "BUYER"))
        return {row.id: row.key for row in rows}


async def _orders(market: Marketplace) -> None:
    ada, owner = market.people.ada, market.people.owner
    clerks = market.people.clerks
    card = credit_card_service_pb2.CreditCard(id="visa", token="tok_approve", card_type="visa", partial_number="4242")
    await ada.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=card))
    corporate = credit_card_service_pb2.CreditCard(id="corporate", buyer_id="acme", token="tok_approve", card_type="visa")
    await owner.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=corporate))
    hers = credit_card_service_pb2.CreditCardAssignment(credit_card_id="corporate", user_id="ada")
    await owner.credit_cards.AssignCreditCards(credit_card_service_pb2.AssignCreditCardsRequest(assignments=[hers]))
    await ready(ada, DONE, _three_means(), lamp=2, tape=3)
    await _submit(ada, DONE)
    for clerk, line in ((clerks["lumenworks"], "l1"), (clerks["wh-east"], "l2")):
        (mine,) = (await clerk.supplier_orders.ListSupplierOrders(supplier_pb.ListSupplierOrdersRequest())).supplier_orders
        await ship(clerk, mine.id, line, 2 if line == "l1" else 3)
    sam = market.people.sam
    await sam.payments.CapturePayment(payment_service_pb2.CapturePaymentRequest(payment_id="d-card", request_id="capture"))
    await sam.payments.RefundPayment(
        payment_service_pb2.RefundPaymentRequest(payment_id="d-card", amount=money("1.00", CURRENCY), request_id="refund")
    )
    await set_cost(owner, "northforge", "tongs", "1.25")
    await ready(ada, OPEN, [payment_pb2.Payment(id="o-card", type="credit_card", credit_card_id="visa")], tongs=6)
    await _submit(ada, OPEN)
    await ship(clerks["northforge"], f"{OPEN}-1", "l1", 1)
    await _pack(clerks["northforge"], f"{OPEN}-1", 2)
    await ada.place_order({"tape": 4}, id=GONE, request_id="place-gone")
    await owner.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=GONE, request_id="cancel-gone"))
    await ready(ada, CART, [payment_pb2.Payment(id="c-po", type="purchase_order")], tarp=1)
    await ada.carts.PinCart(cart_service_pb2.PinCartRequest(order_id=CART, request_id="pin"))
    await ready(ada, NO, [payment_pb2.Payment(id="n-po", type="purchase_order", amount=money("1", CURRENCY))], tarp=1)
    for _ in range(2):
        with contextlib.suppress(WaybillError):
            await _submit(ada, NO)
    await ready(ada, BINNED, [payment_pb2.Payment(id="b-po", type="purchase_order")], tape=1)
    await ada.orders.DeleteOrder(order_service_pb2.DeleteOrderRequest(order_id=BINNED, request_id="bin"))
    await create(ada, BUILT, tape=2)
    await ada.place_order({"crate": 5}, id=MOVED)
    await clerks["wh-east"].supplier_orders.RejectSupplierOrder(
        supplier_pb.RejectSupplierOrderRequest(supplier_order_id=f"{MOVED}-1", comment="dock flooded")
    )
    await ready(ada, CUT, [payment_pb2.Payment(id="x-po", type="purchase_order")], tape=2)
    await _submit(ada, CUT)
    await ship(clerks["wh-east"], f"{CUT}-1", "l1", 1)
    await owner.orders.CancelOrder(order_service_pb2.CancelOrderRequest(order_id=CUT, request_id="cancel-cut"))
    counted = inventory_service_pb2.StockAdjustment(
        inventory_record_id=COUNTED, kind=inventory_pb2.STOCK_MOVEMENT_KIND_ADJUST, change=1
    )
    await owner.inventory.AdjustStock(inventory_service_pb2.AdjustStockRequest(adjustments=[counted], request_id="count"))
    await _low(owner)
    adjusted = spending_account_service_pb2.AdjustSpendingAccountRequest(
        spending_account_id="gift-ada", amount=money("1.00", CURRENCY), description="sorry", request_id="adjust"
    )
    await owner.spending_accounts.AdjustSpendingAccount(adjusted)
    await propose(owner, market.address, "lumenworks", "lantern")
    await vary(owner, "lantern")
    await declare_facet(owner, "lamp", "brass")
    await _sent_to_the_provider(market)
    await _paid_outside(market)
    await _held(market)
    await _charged(market)
    await _booked(owner)


async def _looked_at(owner: AsyncWaybill) -> None:
    """A sub-status that an order is in."""
    made = sub_status_pb.OrderSubStatus(id="seen", status=ORDER_STATUS_OPEN, name="Seen")
    await owner.order_sub_statuses.CreateOrderSubStatus(sub_status_pb.CreateOrderSubStatusRequest(order_sub_status=made))
    await owner.orders.SetOrderSubStatus(order_service_pb2.SetOrderSubStatusRequest(order_id=OPEN, sub_status="seen"))


async def _booked(owner: AsyncWaybill) -> None:
    """A cost center of acme that a group may use, and a promotion. Nothing is ordered afterwards."""
    await promote(owner, "spring", "acme")
    made = cost_center_service_pb2.CostCenter(id="workshop", name="Workshop", buyer_id="acme", active=True)
    await owner.cost_centers.CreateCostCenter(cost_center_service_pb2.CreateCostCenterRequest(cost_center=made))
    given = cost_center_service_pb2.CostCenterAssignment(cost_center_id="workshop", user_group_id="purchasing")
    await owner.cost_centers.AssignCostCenters(cost_center_service_pb2.AssignCostCentersRequest(assignments=[given]))
    await _ruled(owner)


async def _ruled(owner: AsyncWaybill) -> None:
    """A rule by which a group of acme approves what costs more than anything here."""
    made = approval_rule_service_pb2.ApprovalRule(id="dear", name="Dear", buyer_id="acme", approving_group_id="purchasing")
    made.expression = "order.total > money('1000000')"
    request = approval_rule_service_pb2.CreateApprovalRuleRequest(approval_rule=made, request_id="dear")
    await owner.approval_rules.CreateApprovalRule(request)


async def _sent_to_the_provider(market: Marketplace) -> None:
    """An order whose buyer has agreed to its payment on the provider's page."""
    ada, database = market.people.ada, market.host.apps["payment"].database
    assert database is not None
    card = credit_card_service_pb2.CreditCard(id="abroad", token="tok_redirect", card_type="visa", partial_number="4242")
    await ada.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=card))
    await ready(ada, SENT, [payment_pb2.Payment(id="v-card", type="credit_card", credit_card_id="abroad")], tape=1)
    begun = await ada.checkout.StartPayment(
        checkout_service_pb2.StartPaymentRequest(order_id=SENT, payment_id="v-card", return_url="https://shop.example/back")
    )
    await TestGateway(database).act(begun.redirect.url.rsplit("/", 1)[1], approve=True)
    await _submit(ada, SENT)


async def _paid_outside(market: Marketplace) -> None:
    """An order whose money has moved outside, by a type that the marketplace declares; and a type that is assigned."""
    ada, owner = market.people.ada, market.people.owner
    for id in ("transfer", "terms"):
        declared = type_pb.PaymentType(id=id, name=id, acceptance=type_pb.PAYMENT_ACCEPTANCE_BY_RECORD, active=True)
        await owner.payment_types.CreatePaymentType(type_pb.CreatePaymentTypeRequest(payment_type=declared))
    hers = type_pb.PaymentTypeAssignment(payment_type_id="terms", buyer_id="acme", user_id="ada")
    await owner.payment_types.AssignPaymentTypes(type_pb.AssignPaymentTypesRequest(assignments=[hers]))
    await policy(market, payment_types=["transfer"], payment_coverage=PAYMENT_COVERAGE_NONE)
    await ready(ada, WIRED, [payment_pb2.Payment(id="w-out", type="transfer", amount=money("1.00", CURRENCY))], tape=1)
    record = payment_service_pb2.RecordTransactionRequest(payment_id="w-out", amount=money("1.00", CURRENCY))
    record.type = payment_pb2.PAYMENT_TRANSACTION_TYPE_AUTHORIZE
    await owner.payments.RecordTransaction(record)
    await _submit(ada, WIRED)
    await policy(market)
    record.type = payment_pb2.PAYMENT_TRANSACTION_TYPE_CAPTURE
    await owner.payments.RecordTransaction(record)


async def _redeemed(made: Books) -> None:
    """As if the submit of OPEN had used a promotion; orders have none yet."""
    now = datetime.now(UTC)
    row = {"order_key": made.keys[OPEN], "attempt": 1, "state": "CONFIRMED", "expire_time": now, "update_time": now}
    async with made.database("pricing").transaction() as tx:
        await tx.execute(sa.insert(RESERVATIONS).values(**row))
        used = {"promotion_id": "spring", "user_key": "acme:ada"}
        await tx.execute(sa.insert(REDEMPTIONS).values(order_key=made.keys[OPEN], attempt=1, **used))
        for of in ("", "acme:ada"):
            await tx.execute(sa.insert(USES).values(promotion_id="spring", user_key=of, reserved=0, confirmed=1))


async def _held(market: Marketplace) -> None:
    ada, payment = market.people.ada, market.host.apps["payment"]
    card = credit_card_service_pb2.CreditCard(id="once", token="tok_once", card_type="visa", partial_number="4242")
    await ada.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=card))
    await ready(ada, HELD, [payment_pb2.Payment(id="h-card", type="credit_card", credit_card_id="once")], tape=1)
    await _submit(ada, HELD)
    assert payment.database is not None
    async with payment.database.transaction() as tx:
        soon = datetime.now(UTC) + timedelta(hours=1)
        await tx.execute(sa.update(PAYMENTS).where(PAYMENTS.c.id == "h-card").values(authorization_expire_time=soon))
        asked = sa.and_(TRANSACTIONS.c.payment_id == "h-card", TRANSACTIONS.c.type == "AUTHORIZE")
        await tx.execute(sa.update(TRANSACTIONS).where(asked).values(expire_time=soon))
    for loop in ("RenewAuthorizations", "ReportAlerts"):
        assert await steps(payment)[loop]() == 1
    # Its answer is a report: with it nothing of the order is under way.
    await market.people.clerks["wh-east"].supplier_orders.AcceptSupplierOrder(
        supplier_pb.AcceptSupplierOrderRequest(supplier_order_id=f"{HELD}-1")
    )


async def _charged(market: Marketplace) -> None:
    ada = market.people.ada
    await policy(market, capture=PAYMENT_CAPTURE_ON_SHIPMENT)
    await ready(ada, CHARGED, [payment_pb2.Payment(id="s-card", type="credit_card", credit_card_id="visa")], tape=2)
    await _submit(ada, CHARGED)
    await policy(market)
    await ship(market.people.clerks["wh-east"], f"{CHARGED}-1", "l1", 1)
    assert await steps(market.host.apps["order"])["CompleteSubmissions"]() == 1


def _three_means() -> list[payment_pb2.Payment]:
    return [
        payment_pb2.Payment(
            id="d-gift", type="spending_account", spending_account_id="gift-ada", amount=money("20.00", CURRENCY)
        ),
        payment_pb2.Payment(id="d-po", type="purchase_order", amount=money("5.00", CURRENCY)),
        payment_pb2.Payment(id="d-card", type="credit_card", credit_card_id="visa"),
    ]


async def _submit(client: AsyncWaybill, id: str) -> None:
    await client.checkout.SubmitOrder(checkout_service_pb2.SubmitOrderRequest(order_id=id))


async def _pack(clerk: AsyncWaybill, supplier_order_id: str, quantity: int) -> None:
    item = shipment_pb2.ShipmentItem(supplier_order_id=supplier_order_id, line_item_id="l1", quantity=quantity)
    shipment = shipment_pb2.Shipment(id="packed", items=[item])
    await clerk.shipments.CreateShipment(shipment_service_pb2.CreateShipmentRequest(shipment=shipment))


async def _low(owner: AsyncWaybill) -> None:
    """A record is below its threshold, and comes back to it."""
    known = await owner.inventory.GetInventoryRecord(inventory_service_pb2.GetInventoryRecordRequest(inventory_record_id=LOW))
    watched = inventory_pb2.InventoryRecord(id=LOW, notify_below=known.inventory_record.available + 1)
    await owner.inventory.UpdateInventoryRecord(inventory_service_pb2.UpdateInventoryRecordRequest(inventory_record=watched))
    received = inventory_service_pb2.StockAdjustment(
        inventory_record_id=LOW, kind=inventory_pb2.STOCK_MOVEMENT_KIND_RECEIVE, change=1
    )
    await owner.inventory.AdjustStock(inventory_service_pb2.AdjustStockRequest(adjustments=[received]))
