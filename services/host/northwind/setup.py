"""Loads parties, products, prices and stock, in batches. A repeat finds everything in place."""

from __future__ import annotations

from decimal import Decimal

from google.protobuf.struct_pb2 import Struct
from google.type.decimal_pb2 import Decimal as RateValue

from services.host.northwind.files import Northwind, Row, country, product_id, supplier_id
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import (
    address_service_pb2,
    api_client_service_pb2,
    buyer_service_pb2,
    ordering_context_service_pb2,
    supplier_service_pb2,
    user_service_pb2,
)
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.payment.v1 import credit_card_service_pb2
from waybill.pricing.v1 import price_schedule_service_pb2, tax_rate_service_pb2
from waybill.shipping.v1 import carrier_service_pb2
from waybill.type.v1.address_pb2 import Address
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, PARTY_KIND_SELLER, PARTY_KIND_SUPPLIER, Party
from waybill_client import AsyncWaybill, money

CHANNEL = "northwind"
CURRENCY = "USD"
EMPLOYEE_ROLES = (
    "OrderAdmin",
    "OrderReader",
    "UnsubmittedOrderReader",
    "ShipmentAdmin",
    "OverrideShipping",
    "OverrideTax",
    "OverrideUnitPrice",
    "OverrideDiscount",
)


def xp(**values: str) -> Struct:
    """The marketplace's own data, without what is empty."""
    made = Struct()
    made.update({key: value for key, value in values.items() if value})
    return made


def address(row: Row, id: str) -> Address:
    """A postal address."""
    return Address(
        id=id,
        company_name=row["company_name"],
        recipient=row["contact_name"],
        lines=[row["address"]],
        city=row["city"],
        region=row["region"],
        postal_code=row["postal_code"],
        country=country(row["country"]),
        phone=row["phone"],
    )


def request_id(what: str) -> str:
    """The same on every run, so that a repeat has no second effect."""
    return f"northwind-{what}"


async def load(
    owner: AsyncWaybill, data: Northwind, seller_id: str, included: Decimal | None = None, by_card: bool = False
) -> None:
    """Everything but the orders. With a rate prices include a tax of it wherever the orders go; without one nothing is taxed.
    Customers pay by promise, or `by_card` with a card of theirs that is charged as goods leave."""
    await _parties(owner, data, seller_id, by_card)
    if by_card:
        await _cards(owner, data)
    await _addresses(owner, data)
    await _products(owner, data, included is not None)
    if included is not None:
        await _rates(owner, data, included)


async def _cards(owner: AsyncWaybill, data: Northwind) -> None:
    """One card for each customer."""
    for customer in data.customers:
        id = customer["customer_id"]
        card = credit_card_service_pb2.CreditCard(id=card_id(id), buyer_id=id, token="tok_approve", card_type="visa")
        await owner.credit_cards.CreateCreditCard(
            credit_card_service_pb2.CreateCreditCardRequest(credit_card=card, request_id=request_id(f"card-{id}"))
        )


def card_id(customer: str) -> str:
    """The id of a customer's card."""
    return f"card-{customer}"


async def _rates(owner: AsyncWaybill, data: Northwind, rate: Decimal) -> None:
    """One rate for each country that an order goes to."""
    countries = sorted({country(order["ship_country"]) for order in data.orders})
    await owner.tax_rates.BatchCreateTaxRates(
        tax_rate_service_pb2.BatchCreateTaxRatesRequest(
            request_id=request_id("tax-rates"),
            tax_rates=[
                tax_rate_service_pb2.TaxRate(id=f"tax-{code}", name="Northwind", country=code, rate=RateValue(value=str(rate)))
                for code in countries
            ],
        )
    )


# Long because it lists what is set up, one request after the other.
async def _parties(owner: AsyncWaybill, data: Northwind, seller_id: str, by_card: bool) -> None:
    contexts = ordering_context_service_pb2
    capture = contexts.PAYMENT_CAPTURE_ON_SHIPMENT if by_card else contexts.PAYMENT_CAPTURE_MANUAL
    await owner.api_clients.BatchCreateApiClients(
        api_client_service_pb2.BatchCreateApiClientsRequest(
            request_id=request_id("channel"),
            api_clients=[
                api_client_service_pb2.ApiClient(
                    id=CHANNEL,
                    name="Northwind Traders",
                    active=True,
                    allow_seller=True,
                    allow_any_buyer=True,
                    access_token_minutes=600,
                    policy=ordering_context_service_pb2.OrderingPolicy(
                        auto_forward=ordering_context_service_pb2.AUTO_FORWARD_NONE,
                        payment_coverage=ordering_context_service_pb2.PAYMENT_COVERAGE_TOTAL,
                        payment_types=["credit_card" if by_card else "purchase_order"],
                        capture=capture,
                    ),
                )
            ],
        )
    )
    await owner.buyers.BatchCreateBuyers(
        buyer_service_pb2.BatchCreateBuyersRequest(
            request_id=request_id("buyers"),
            buyers=[
                buyer_service_pb2.Buyer(id=c["customer_id"], name=c["company_name"], active=True, currency=CURRENCY)
                for c in data.customers
            ],
        )
    )
    await owner.suppliers.BatchCreateSuppliers(
        supplier_service_pb2.BatchCreateSuppliersRequest(
            request_id=request_id("suppliers"),
            suppliers=[
                supplier_service_pb2.Supplier(id=supplier_id(s["supplier_id"]), name=s["company_name"], active=True)
                for s in data.suppliers
            ],
        )
    )
    users = [
        user_service_pb2.User(
            id=f"user-{c['customer_id']}",
            party=Party(kind=PARTY_KIND_BUYER, id=c["customer_id"]),
            username=f"user-{c['customer_id']}",
            last_name=c["contact_name"],
            active=True,
            roles=["Shopper"],
            xp=xp(title=c["contact_title"]),
        )
        for c in data.customers
    ]
    users += [
        user_service_pb2.User(
            id=f"employee-{e['employee_id']}",
            party=Party(kind=PARTY_KIND_SELLER, id=seller_id),
            username=f"employee-{e['employee_id']}",
            first_name=e["first_name"],
            last_name=e["last_name"],
            active=True,
            roles=EMPLOYEE_ROLES,
            xp=xp(title=e["title"]),
        )
        for e in data.employees
    ]
    await owner.users.BatchCreateUsers(user_service_pb2.BatchCreateUsersRequest(request_id=request_id("users"), users=users))


async def _addresses(owner: AsyncWaybill, data: Northwind) -> None:
    entries = [
        address_service_pb2.AddressEntry(
            party=Party(kind=PARTY_KIND_BUYER, id=c["customer_id"]), address=address(c, f"hq-{c['customer_id']}")
        )
        for c in data.customers
    ]
    entries += [
        address_service_pb2.AddressEntry(
            party=Party(kind=PARTY_KIND_SUPPLIER, id=supplier_id(s["supplier_id"])),
            address=address(s, f"dock-{s['supplier_id']}"),
        )
        for s in data.suppliers
    ]
    await owner.addresses.CreateAddresses(
        address_service_pb2.CreateAddressesRequest(request_id=request_id("addresses"), entries=entries)
    )
    await owner.addresses.AssignAddresses(
        address_service_pb2.AssignAddressesRequest(
            request_id=request_id("address-assignments"),
            assignments=[
                address_service_pb2.AddressAssignment(
                    party=Party(kind=PARTY_KIND_BUYER, id=c["customer_id"]),
                    address_id=f"hq-{c['customer_id']}",
                    shipping=True,
                    billing=True,
                )
                for c in data.customers
            ],
        )
    )


# Long because it lists what is set up, one request after the other.
async def _products(owner: AsyncWaybill, data: Northwind, tax_included: bool) -> None:
    demand = data.demand()
    await owner.carriers.BatchCreateCarriers(
        carrier_service_pb2.BatchCreateCarriersRequest(
            request_id=request_id("carriers"),
            carriers=[
                carrier_service_pb2.Carrier(id=f"shipper-{s['shipper_id']}", name=s["company_name"], active=True)
                for s in data.shippers
            ],
        )
    )
    await owner.products.BatchCreateProducts(
        product_service_pb2.BatchCreateProductsRequest(
            request_id=request_id("products"),
            products=[
                product_pb2.Product(
                    id=product_id(p["product_id"]),
                    name=p["product_name"],
                    active=True,
                    shippable=True,
                    track_inventory=True,
                    default_supplier_id=supplier_id(p["supplier_id"]),
                    ship_from_address_id=f"dock-{p['supplier_id']}",
                    xp=xp(quantity_per_unit=p["quantity_per_unit"], category=p["category_id"]),
                )
                for p in data.products
            ],
        )
    )
    schedules = [
        price_schedule_service_pb2.PriceSchedule(
            id=product_id(p["product_id"]),
            name=p["product_name"],
            currency=CURRENCY,
            price_breaks=[price_schedule_service_pb2.PriceBreak(quantity=1, price=money(p["unit_price"], CURRENCY))],
            tax_included=tax_included,
        )
        for p in data.products
    ]
    await owner.price_schedules.BatchCreatePriceSchedules(
        price_schedule_service_pb2.BatchCreatePriceSchedulesRequest(request_id=request_id("prices"), price_schedules=schedules)
    )
    await owner.price_schedules.AssignPriceSchedules(
        price_schedule_service_pb2.AssignPriceSchedulesRequest(
            request_id=request_id("price-assignments"),
            assignments=[price_schedule_service_pb2.PriceAssignment(product_id=s.id, price_schedule_id=s.id) for s in schedules],
        )
    )
    await owner.inventory.BatchCreateInventoryRecords(
        inventory_service_pb2.BatchCreateInventoryRecordsRequest(
            request_id=request_id("stock"),
            inventory_records=[
                inventory_service_pb2.NewInventoryRecord(
                    inventory_record=inventory_pb2.InventoryRecord(
                        id=f"stock-{p['product_id']}",
                        product_id=product_id(p["product_id"]),
                        supplier_id=supplier_id(p["supplier_id"]),
                        location_id=f"dock-{p['supplier_id']}",
                        active=True,
                    ),
                    # The receipt covers what is in stock today and everything that the replay ships.
                    opening_quantity=int(p["units_in_stock"]) + demand.get(p["product_id"], 0),
                )
                for p in data.products
            ],
        )
    )
