"""What a caller names or writes is as long as its contract allows: it fits wherever it goes, from create to completed."""

from __future__ import annotations

from typing import Any

from google.type.decimal_pb2 import Decimal

from services.host.sample.marketplace import CURRENCY, PASSWORD, party
from tests.e2e.steps import TAKES, xp
from tests.support.marketplace import OUTGOING, Marketplace
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import (
    address_service_pb2,
    api_client_service_pb2,
    buyer_service_pb2,
    ordering_context_service_pb2,
    supplier_service_pb2,
    user_service_pb2,
)
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2, shipment_pb2, shipment_service_pb2, supplier_order_pb2
from waybill.fulfillment.v1 import supplier_order_service_pb2 as so
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2, payment_service_pb2
from waybill.payment.v1 import spending_account_service_pb2 as account_pb
from waybill.pricing.v1 import price_schedule_service_pb2, tax_rate_service_pb2
from waybill.shipping.v1 import (
    carrier_service_pb2,
    rate_table_service_pb2,
    ship_method_assignment_service_pb2,
    ship_method_service_pb2,
    zone_service_pb2,
)
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, money


def long(name: str, length: int = 100) -> str:
    """A name as long as it may be."""
    return name.ljust(length, "-")


BUYER, SUPPLIER, OTHER, DEALER = long("buyer"), long("supplier"), long("other"), long("dealer")
USER, CLERK, RIVAL = long("user"), long("clerk"), long("rival")
SHOP, PRODUCT, SCHEDULE, RECORD, SPARE = long("shop"), long("product"), long("schedule"), long("record"), long("spare")
CARRIER, ZONE, METHOD, TABLE, DOCK, HOME = (long(x) for x in ("carrier", "zone", "method", "table", "dock", "home"))
ACCOUNT, CARD, ORDER, LINE, PARCEL = (long(x) for x in ("account", "card", "order", "line", "parcel"))
CLASS = long("class")


def address(id: str) -> Address:
    """Every text of it at its limit, but for region and postal code, which have to be found by a rate."""
    names = ("label", "company_name", "first_name", "last_name", "recipient", "city", "phone")
    texts = {name: long(name, 200) for name in names}
    return Address(id=id, lines=[long(f"line {n}", 200) for n in range(4)], region="CA", postal_code="9", country="US", **texts)


async def companies(owner: AsyncWaybill) -> None:
    """Who sells, buys and delivers, and where."""
    buyer = buyer_service_pb2.Buyer(id=BUYER, name=long("Buyer"), active=True, currency=CURRENCY)
    await owner.buyers.CreateBuyer(buyer_service_pb2.CreateBuyerRequest(buyer=buyer, request_id=long("r")))
    for id in (SUPPLIER, OTHER):
        supplier = supplier_service_pb2.Supplier(id=id, name=long("Supplier"), active=True)
        await owner.suppliers.CreateSupplier(supplier_service_pb2.CreateSupplierRequest(supplier=supplier))
    people = (
        (USER, party("BUYER", BUYER), ["Shopper", "MeCreditCardAdmin", "OrderAdmin"]),
        (CLERK, party("SUPPLIER", SUPPLIER), ["OrderAdmin", "OrderReader", "ShipmentAdmin"]),
        (RIVAL, party("SUPPLIER", OTHER), ["OrderAdmin", "OrderReader", "ShipmentAdmin"]),
    )
    for id, company, roles in people:
        texts = {name: long(name) for name in ("first_name", "last_name", "phone")}
        user = user_service_pb2.User(
            id=id, party=company, username=id, email=long("a@b", 200), active=True, roles=roles, password=PASSWORD, **texts
        )
        await owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=user))
    entry = address_service_pb2.AddressEntry
    entries = [
        entry(party=party("SUPPLIER", SUPPLIER), address=address(DOCK)),
        entry(party=party("SUPPLIER", OTHER), address=address(DOCK)),
        entry(party=party("BUYER", BUYER), address=address(HOME)),
    ]
    await owner.addresses.CreateAddresses(address_service_pb2.CreateAddressesRequest(entries=entries))
    assignment = address_service_pb2.AddressAssignment(
        party=party("BUYER", BUYER), address_id=HOME, user_id=USER, shipping=True, billing=True
    )
    await owner.addresses.AssignAddresses(address_service_pb2.AssignAddressesRequest(assignments=[assignment]))
    policy = ordering_context_service_pb2.OrderingPolicy(
        auto_forward=ordering_context_service_pb2.AUTO_FORWARD_ALL,
        require_ship_methods=True,
        payment_coverage=ordering_context_service_pb2.PAYMENT_COVERAGE_TOTAL,
        payment_types=TAKES,
    )
    client = api_client_service_pb2.ApiClient(
        id=SHOP, name=long("Shop"), active=True, allow_any_buyer=True, allow_any_supplier=True, policy=policy
    )
    await owner.api_clients.CreateApiClient(api_client_service_pb2.CreateApiClientRequest(api_client=client))


async def goods(owner: AsyncWaybill) -> None:
    """What is sold, for how much, from where."""
    product = product_pb2.Product(
        id=PRODUCT,
        name=long("Product"),
        description=long("described", 2_000),
        active=True,
        default_supplier_id=SUPPLIER,
        supplier_ids=[OTHER],
        ship_from_address_id=DOCK,
        shippable=True,
        track_inventory=True,
        tax_class=CLASS,
        weight_kg=Decimal(value="1." + "5" * 18),
    )
    await owner.products.CreateProduct(product_service_pb2.CreateProductRequest(product=product))
    price = price_schedule_service_pb2.PriceBreak(quantity=1, price=money("10.000001", CURRENCY))
    schedule = price_schedule_service_pb2.PriceSchedule(id=SCHEDULE, name=long("s"), currency=CURRENCY, price_breaks=[price])
    await owner.price_schedules.CreatePriceSchedule(
        price_schedule_service_pb2.CreatePriceScheduleRequest(price_schedule=schedule)
    )
    assigned = price_schedule_service_pb2.PriceAssignment(product_id=PRODUCT, buyer_id=BUYER, price_schedule_id=SCHEDULE)
    await owner.price_schedules.AssignPriceSchedules(
        price_schedule_service_pb2.AssignPriceSchedulesRequest(assignments=[assigned])
    )
    rate = tax_rate_service_pb2.TaxRate(
        id=long("rate"), name=long("r"), country="US", region="CA", tax_class=CLASS, rate=Decimal(value="0.0725")
    )
    await owner.tax_rates.CreateTaxRate(tax_rate_service_pb2.CreateTaxRateRequest(tax_rate=rate))
    for id, supplier in ((RECORD, SUPPLIER), (SPARE, OTHER)):
        record = inventory_pb2.InventoryRecord(id=id, product_id=PRODUCT, supplier_id=supplier, location_id=DOCK, active=True)
        new = inventory_service_pb2.NewInventoryRecord(inventory_record=record, opening_quantity=9)
        await owner.inventory.BatchCreateInventoryRecords(
            inventory_service_pb2.BatchCreateInventoryRecordsRequest(inventory_records=[new])
        )


async def freight(owner: AsyncWaybill) -> None:
    """How it is carried."""
    carrier = carrier_service_pb2.Carrier(id=CARRIER, name=long("Carrier"), active=True)
    await owner.carriers.CreateCarrier(carrier_service_pb2.CreateCarrierRequest(carrier=carrier))
    zone = zone_service_pb2.Zone(id=ZONE, name=long("Zone"), destinations=[zone_service_pb2.ZoneDestination(country="US")])
    await owner.zones.CreateZone(zone_service_pb2.CreateZoneRequest(zone=zone))
    method = ship_method_service_pb2.ShipMethod(id=METHOD, name=long("Method"), carrier_id=CARRIER, active=True)
    await owner.ship_methods.CreateShipMethod(ship_method_service_pb2.CreateShipMethodRequest(ship_method=method))
    row = rate_table_service_pb2.RateRow(price=money("1", CURRENCY))
    table = rate_table_service_pb2.RateTable(id=TABLE, ship_method_id=METHOD, zone_id=ZONE, currency=CURRENCY, rows=[row])
    await owner.rate_tables.CreateRateTable(rate_table_service_pb2.CreateRateTableRequest(rate_table=table))
    given = ship_method_assignment_service_pb2.ShipMethodAssignment(
        id=long("given"), ship_method_id=METHOD, buyer_id=BUYER, client_id=SHOP, supplier_id=SUPPLIER, ship_from_id=DOCK
    )
    await owner.ship_method_assignments.CreateShipMethodAssignment(
        ship_method_assignment_service_pb2.CreateShipMethodAssignmentRequest(ship_method_assignment=given)
    )


async def means(owner: AsyncWaybill, buyer: AsyncWaybill) -> None:
    """What it is paid with."""
    account = account_pb.SpendingAccount(
        id=ACCOUNT, name=long("Account"), buyer_id=BUYER, currency=CURRENCY, active=True, opening_balance=money("1", CURRENCY)
    )
    await owner.spending_accounts.CreateSpendingAccount(account_pb.CreateSpendingAccountRequest(spending_account=account))
    await owner.spending_accounts.AdjustSpendingAccount(
        account_pb.AdjustSpendingAccountRequest(
            spending_account_id=ACCOUNT, amount=money("9", CURRENCY), description=long("gift", 200), request_id=long("r")
        )
    )
    assigned = account_pb.SpendingAccountAssignment(spending_account_id=ACCOUNT, user_id=USER)
    await owner.spending_accounts.AssignSpendingAccounts(account_pb.AssignSpendingAccountsRequest(assignments=[assigned]))
    card = credit_card_service_pb2.CreditCard(
        id=CARD,
        token=long("tok", 200),
        card_type=long("visa", 40),
        partial_number="12345",
        cardholder_name=long("name"),
        expiration="2040-01",
    )
    await buyer.credit_cards.CreateCreditCard(credit_card_service_pb2.CreateCreditCardRequest(credit_card=card))


def placing(id: str, *payments: dict[str, Any]) -> checkout_service_pb2.PlaceOrderRequest:
    """Three units; payments of every type, each text at its limit."""
    texts = {"purchase_order_number": long("4711"), "description": long("paid", 2_000), "xp": xp(a="x" * 7_900)}
    return checkout_service_pb2.PlaceOrderRequest(
        order=order_pb2.Order(id=id, comments=long("please", 2_000), xp=xp(a="x" * 7_900), billing_address_id=HOME),
        line_items=[
            line_item_pb2.LineItem(
                id=LINE,
                product_id=PRODUCT,
                quantity=3,
                shipping_address=address(""),
                inventory_record_id=RECORD,
                xp=xp(a="x" * 7_900),
            )
        ],
        payments=[payment_pb2.Payment(**p, **texts) for p in payments],
        ship_method_ids=[METHOD],
        request_id=long(f"place {id[:9]}"),
    )


async def test_an_order_whose_every_name_and_text_is_at_its_limit_goes_from_create_to_completed(market: Marketplace) -> None:
    owner = market.people.owner
    await companies(owner)
    await goods(owner)
    await freight(owner)
    async with (
        await AsyncWaybill.connect(market.address, SHOP, username=USER, password=PASSWORD) as buyer,
        await AsyncWaybill.connect(market.address, SHOP, username=CLERK, password=PASSWORD) as clerk,
        await AsyncWaybill.connect(market.address, SHOP, username=RIVAL, password=PASSWORD) as rival,
    ):
        await means(owner, buyer)
        five = money("5", CURRENCY)
        paid = (
            {"id": long("by-gift"), "type": "spending_account", "spending_account_id": ACCOUNT, "amount": five},
            {"id": long("by-card"), "type": "credit_card", "credit_card_id": CARD, "amount": five},
            {"id": long("by-order"), "type": "purchase_order"},
        )
        placed = await buyer.checkout.PlaceOrder(placing(ORDER, *paid))
        assert placed.order.status == order_pb2.ORDER_STATUS_OPEN
        assert (await buyer.checkout.PlaceOrder(placing(ORDER, *paid))).order.id == ORDER
        await fulfilled(clerk, rival)
        capture = payment_service_pb2.CapturePaymentRequest(payment_id=long("by-card"), request_id=long("capture"))
        await owner.payments.CapturePayment(capture)
        refund = payment_service_pb2.RefundPaymentRequest(payment_id=long("by-card"), request_id=long("refund"))
        await owner.payments.RefundPayment(refund)
        asked = order_service_pb2.GetOrderRequest(order_id=ORDER, direction=OUTGOING)
        assert (await buyer.orders.GetOrder(asked)).order.status == order_pb2.ORDER_STATUS_COMPLETED
        await canceled(buyer)


async def fulfilled(clerk: AsyncWaybill, rival: AsyncWaybill) -> None:
    """Rejected by one supplier, accepted and shipped by another, under ids that are longer than a caller's."""
    (first,) = (await clerk.supplier_orders.ListSupplierOrders(so.ListSupplierOrdersRequest())).supplier_orders
    assert first.id == f"{ORDER}-1"
    reject = so.RejectSupplierOrderRequest(supplier_order_id=first.id, comment=long("no", 2_000), request_id=long("reject"))
    await clerk.supplier_orders.RejectSupplierOrder(reject)
    (mine,) = (await rival.supplier_orders.ListSupplierOrders(so.ListSupplierOrdersRequest())).supplier_orders
    accepted = await rival.supplier_orders.AcceptSupplierOrder(so.AcceptSupplierOrderRequest(supplier_order_id=mine.id))
    shown = await rival.orders.GetOrder(
        order_service_pb2.GetOrderRequest(
            order_id=mine.id, direction=order_pb2.DIRECTION_INCOMING, min_version=accepted.supplier_order.version
        )
    )
    assert shown.order.supplier_status == supplier_order_pb2.SUPPLIER_ORDER_STATUS_ACCEPTED
    parcel = shipment_pb2.Shipment(
        id=PARCEL,
        items=[shipment_pb2.ShipmentItem(supplier_order_id=mine.id, line_item_id=LINE, quantity=3, inventory_record_id=SPARE)],
        carrier=long("carrier", 200),
        tracking_number=long("track", 200),
        ship_method_id=METHOD,
        ship_from_id=DOCK,
        ship_to=address(HOME),
        cost=money("1", CURRENCY),
        xp=xp(a="x" * 7_900),
    )
    parcel.ship_time.GetCurrentTime()
    await rival.shipments.CreateShipment(shipment_service_pb2.CreateShipmentRequest(shipment=parcel, request_id=long("ship")))


async def canceled(buyer: AsyncWaybill) -> None:
    """Another order, which is given up."""
    id = long("regret")
    await buyer.checkout.PlaceOrder(placing(id, {"type": "purchase_order"}))
    cancel = order_service_pb2.CancelOrderRequest(order_id=id, comment=long("sorry", 2_000), request_id=long("cancel"))
    assert (await buyer.orders.CancelOrder(cancel)).order.status == order_pb2.ORDER_STATUS_CANCELED
