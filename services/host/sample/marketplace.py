"""The marketplace of the demo: two dropship suppliers, the seller's two warehouses, two buyers, six products."""

# Long because it is the data of one marketplace, which demo, tests and documents share.
from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from google.type.decimal_pb2 import Decimal

from services.host.sample.catalogs import set_up_catalogs
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import (
    address_service_pb2,
    api_client_service_pb2,
    buyer_service_pb2,
    ordering_context_service_pb2,
    security_profile_service_pb2,
    supplier_service_pb2,
    user_group_service_pb2,
    user_service_pb2,
)
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.payment.v1 import spending_account_service_pb2
from waybill.pricing.v1 import price_schedule_service_pb2, tax_rate_service_pb2
from waybill.shipping.v1 import (
    carrier_service_pb2,
    grouping_rule_service_pb2,
    rate_table_service_pb2,
    ship_method_assignment_service_pb2,
    ship_method_service_pb2,
    zone_service_pb2,
)
from waybill.type.v1 import party_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, money

PASSWORD = "correct horse battery staple"
"""Everyone's, in the demo."""
SHOP, PORTAL = "shop", "portal"
CURRENCY = "USD"
SUPPLIERS = {
    "northforge": "Northforge Tools",
    "lumenworks": "Lumenworks Lighting",
    "wh-east": "Warehouse East",
    "wh-west": "Warehouse West",
}
PLACES = {
    "northforge": ("1 Anvil Way", "Pittsburgh", "PA", "15201"),
    "lumenworks": ("40 Filament St", "Austin", "TX", "78701"),
    "wh-east": ("7 Harbor Rd", "Newark", "NJ", "07101"),
    "wh-west": ("300 Bay Blvd", "Oakland", "CA", "94607"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A product of the demo: price breaks by quantity, stock by supplier."""

    id: str
    name: str
    supplier: str
    others: tuple[str, ...]
    weight_kg: str
    prices: tuple[tuple[int, str], ...]
    stock: tuple[tuple[str, int], ...]


ITEMS = (
    Item("anvil", "Anvil, 20 kg", "northforge", (), "20", ((1, "189.00"), (4, "175.50")), (("northforge", 40),)),
    Item("tongs", "Forge tongs", "northforge", (), "1.2", ((1, "24.95"), (10, "22.45")), (("northforge", 200),)),
    Item("lamp", "Work lamp", "lumenworks", (), "2.5", ((1, "64.30"),), (("lumenworks", 80),)),
    Item("crate", "Steel crate", "wh-east", ("wh-west",), "6", ((1, "31.20"), (25, "28.08")), (("wh-east", 30), ("wh-west", 40))),
    Item("tape", "Packing tape", "wh-east", ("wh-west",), "0.3", ((1, "3.333"),), (("wh-east", 500),)),
    Item("tarp", "Tarpaulin, 4 x 6 m", "wh-west", (), "4", ((1, "45.00"),), (("wh-west", 25),)),
)


def party(kind: str, id: str) -> party_pb2.Party:
    """A company."""
    return party_pb2.Party(kind=party_pb2.PartyKind.Value(f"PARTY_KIND_{kind}"), id=id)


def dock(supplier: str) -> str:
    """The id of the address that a supplier ships from."""
    return f"dock-{supplier}"


async def set_up(owner: AsyncWaybill) -> None:
    """Everything that the seller does once."""
    await _parties(owner)
    await _groups(owner)
    await _catalog(owner)
    await set_up_catalogs(owner)
    await _shipping(owner)
    await owner.spending_accounts.CreateSpendingAccount(
        spending_account_service_pb2.CreateSpendingAccountRequest(
            spending_account=spending_account_service_pb2.SpendingAccount(
                id="gift-ada",
                name="Gift card",
                buyer_id="acme",
                currency=CURRENCY,
                active=True,
                opening_balance=money("500.00", CURRENCY),
            )
        )
    )
    await owner.spending_accounts.AssignSpendingAccounts(
        spending_account_service_pb2.AssignSpendingAccountsRequest(
            assignments=[spending_account_service_pb2.SpendingAccountAssignment(spending_account_id="gift-ada", user_id="ada")]
        )
    )


async def _groups(owner: AsyncWaybill) -> None:
    """Who buys for Acme, and what they may do."""
    group = user_group_service_pb2.UserGroup(id="purchasing", name="Purchasing", party=party("BUYER", "acme"))
    await owner.user_groups.CreateUserGroup(user_group_service_pb2.CreateUserGroupRequest(user_group=group))
    profile = security_profile_service_pb2.SecurityProfile(id="shoppers", name="Shoppers", roles=["Shopper", "MeCreditCardAdmin"])
    await owner.security_profiles.CreateSecurityProfile(
        security_profile_service_pb2.CreateSecurityProfileRequest(security_profile=profile)
    )
    given = security_profile_service_pb2.SecurityProfileAssignment(security_profile_id="shoppers", user_group_id="purchasing")
    await owner.security_profiles.AssignSecurityProfiles(
        security_profile_service_pb2.AssignSecurityProfilesRequest(assignments=[given])
    )
    members = [user_group_service_pb2.UserGroupMember(user_group_id="purchasing", user_id=id) for id in ("ada", "bob")]
    await owner.user_groups.AddUserGroupMembers(user_group_service_pb2.AddUserGroupMembersRequest(members=members))


# Long because it lists what is set up, one request after the other.
async def _parties(owner: AsyncWaybill) -> None:
    await owner.buyers.BatchCreateBuyers(
        buyer_service_pb2.BatchCreateBuyersRequest(
            buyers=[
                buyer_service_pb2.Buyer(id="acme", name="Acme Workshops", active=True, currency=CURRENCY),
                buyer_service_pb2.Buyer(id="globex", name="Globex", active=True, currency=CURRENCY),
            ]
        )
    )
    await owner.suppliers.BatchCreateSuppliers(
        supplier_service_pb2.BatchCreateSuppliersRequest(
            suppliers=[supplier_service_pb2.Supplier(id=id, name=name, active=True) for id, name in SUPPLIERS.items()]
        )
    )
    shopper = ["Shopper", "MeCreditCardAdmin"]
    clerk = ["OrderAdmin", "OrderReader", "ShipmentAdmin"]
    people = [
        ("ada", "BUYER", "acme", shopper),
        ("bob", "BUYER", "acme", shopper),
        ("gil", "BUYER", "globex", shopper),
        *((f"clerk-{s}", "SUPPLIER", s, clerk) for s in SUPPLIERS),
        ("sam", "SELLER", "seller", ["OrderAdmin", "OrderReader", "ShipmentAdmin", "PaymentAdmin"]),
    ]
    await owner.users.BatchCreateUsers(
        user_service_pb2.BatchCreateUsersRequest(
            users=[
                user_service_pb2.User(
                    id=id,
                    party=party(kind, company),
                    username=id,
                    first_name=id.capitalize(),
                    active=True,
                    roles=roles,
                    password=PASSWORD,
                )
                for id, kind, company, roles in people
            ]
        )
    )
    entries = [
        address_service_pb2.AddressEntry(
            party=party("SUPPLIER", s),
            address=Address(
                id=dock(s), company_name=SUPPLIERS[s], lines=[street], city=city, region=region, postal_code=code, country="US"
            ),
        )
        for s, (street, city, region, code) in PLACES.items()
    ]
    for buyer, city, region, code in (("acme", "San Jose", "CA", "95113"), ("globex", "Denver", "CO", "80202")):
        entries.append(
            address_service_pb2.AddressEntry(
                party=party("BUYER", buyer),
                address=Address(
                    id=f"hq-{buyer}",
                    company_name=buyer.capitalize(),
                    lines=["1 Main St"],
                    city=city,
                    region=region,
                    postal_code=code,
                    country="US",
                ),
            )
        )
    await owner.addresses.CreateAddresses(address_service_pb2.CreateAddressesRequest(entries=entries))
    await owner.addresses.AssignAddresses(
        address_service_pb2.AssignAddressesRequest(
            assignments=[
                address_service_pb2.AddressAssignment(party=party("BUYER", b), address_id=f"hq-{b}", shipping=True, billing=True)
                for b in ("acme", "globex")
            ]
        )
    )
    await owner.api_clients.BatchCreateApiClients(
        api_client_service_pb2.BatchCreateApiClientsRequest(
            api_clients=[
                api_client_service_pb2.ApiClient(
                    id=SHOP,
                    name="Web shop",
                    active=True,
                    allow_any_buyer=True,
                    policy=ordering_context_service_pb2.OrderingPolicy(
                        auto_forward=ordering_context_service_pb2.AUTO_FORWARD_ALL,
                        require_ship_methods=True,
                        payment_coverage=ordering_context_service_pb2.PAYMENT_COVERAGE_TOTAL,
                        sourcing_strategy="default_supplier",
                        payment_types=["credit_card", "spending_account", "purchase_order"],
                    ),
                ),
                api_client_service_pb2.ApiClient(
                    id=PORTAL, name="Supplier and seller portal", active=True, allow_any_supplier=True, allow_seller=True
                ),
            ]
        )
    )


# Long because it lists what is set up, one request after the other.
async def _catalog(owner: AsyncWaybill) -> None:
    await owner.products.BatchCreateProducts(
        product_service_pb2.BatchCreateProductsRequest(
            products=[
                product_pb2.Product(
                    id=item.id,
                    name=item.name,
                    active=True,
                    default_supplier_id=item.supplier,
                    supplier_ids=item.others,
                    ship_from_address_id=dock(item.supplier),
                    shippable=True,
                    track_inventory=True,
                    weight_kg=Decimal(value=item.weight_kg),
                )
                for item in ITEMS
            ]
        )
    )
    await owner.price_schedules.BatchCreatePriceSchedules(
        price_schedule_service_pb2.BatchCreatePriceSchedulesRequest(
            price_schedules=[
                price_schedule_service_pb2.PriceSchedule(
                    id=f"list-{item.id}",
                    name=item.name,
                    currency=CURRENCY,
                    price_breaks=[
                        price_schedule_service_pb2.PriceBreak(quantity=q, price=money(p, CURRENCY)) for q, p in item.prices
                    ],
                )
                for item in ITEMS
            ]
        )
    )
    await owner.price_schedules.AssignPriceSchedules(
        price_schedule_service_pb2.AssignPriceSchedulesRequest(
            assignments=[
                price_schedule_service_pb2.PriceAssignment(product_id=item.id, price_schedule_id=f"list-{item.id}")
                for item in ITEMS
            ]
        )
    )
    rates = (("CA", "standard", "0.0725"), ("CA", "shipping", "0"), ("CO", "standard", "0.029"))
    await owner.tax_rates.BatchCreateTaxRates(
        tax_rate_service_pb2.BatchCreateTaxRatesRequest(
            tax_rates=[
                tax_rate_service_pb2.TaxRate(country="US", region=r, tax_class=c, rate=Decimal(value=v)) for r, c, v in rates
            ]
        )
    )
    await owner.inventory.BatchCreateInventoryRecords(
        inventory_service_pb2.BatchCreateInventoryRecordsRequest(
            inventory_records=[
                inventory_service_pb2.NewInventoryRecord(
                    inventory_record=inventory_pb2.InventoryRecord(
                        id=f"{item.id}-{s}",
                        product_id=item.id,
                        supplier_id=s,
                        location_id=dock(s),
                        active=True,
                        pickup=s == "wh-west",
                    ),
                    opening_quantity=quantity,
                )
                for item in ITEMS
                for s, quantity in item.stock
            ]
        )
    )


def _days(count: int) -> Duration:
    return Duration(seconds=count * 86_400)


# Long because it lists what is set up, one request after the other.
async def _shipping(owner: AsyncWaybill) -> None:
    await owner.carriers.CreateCarrier(
        carrier_service_pb2.CreateCarrierRequest(
            carrier=carrier_service_pb2.Carrier(id="swift", name="Swift Parcel", active=True)
        )
    )
    await owner.zones.CreateZone(
        zone_service_pb2.CreateZoneRequest(
            zone=zone_service_pb2.Zone(
                id="us", name="United States", destinations=[zone_service_pb2.ZoneDestination(country="US")]
            )
        )
    )
    methods = (
        ("ground", "Ground", 3, 5, "9.00", "0.35"),
        ("two-day", "Two-day", 2, 2, "19.00", "0.90"),
        ("next-day", "Next-day", 1, 1, "39.00", "1.80"),
    )
    shipped = [
        ship_method_service_pb2.ShipMethod(
            id=id, name=name, carrier_id="swift", active=True, min_lead_time=_days(low), max_lead_time=_days(high)
        )
        for id, name, low, high, _, _ in methods
    ]
    collected = ship_method_service_pb2.ShipMethod(
        id="pick-up",
        name="Pick-up at the dock",
        carrier_id="swift",
        active=True,
        pickup=True,
        min_lead_time=_days(0),
        max_lead_time=_days(1),
    )
    await owner.ship_methods.BatchCreateShipMethods(
        ship_method_service_pb2.BatchCreateShipMethodsRequest(ship_methods=[*shipped, collected])
    )
    await owner.rate_tables.BatchCreateRateTables(
        rate_table_service_pb2.BatchCreateRateTablesRequest(
            rate_tables=[
                rate_table_service_pb2.RateTable(
                    id=f"{id}-us",
                    ship_method_id=id,
                    zone_id="us",
                    currency=CURRENCY,
                    rows=[
                        rate_table_service_pb2.RateRow(up_to_weight_kg=Decimal(value="50"), price=money(base, CURRENCY)),
                        rate_table_service_pb2.RateRow(price=money(base, CURRENCY), per_kg=money(per_kg, CURRENCY)),
                    ],
                )
                for id, _, _, _, base, per_kg in methods
            ]
        )
    )
    await owner.ship_method_assignments.BatchCreateShipMethodAssignments(
        ship_method_assignment_service_pb2.BatchCreateShipMethodAssignmentsRequest(
            ship_method_assignments=[
                ship_method_assignment_service_pb2.ShipMethodAssignment(ship_method_id=m)
                for m in ("ground", "two-day", "next-day", "pick-up")
            ]
        )
    )
    rule = grouping_rule_service_pb2.GroupingRule
    await owner.grouping_rules.BatchCreateGroupingRules(
        grouping_rule_service_pb2.BatchCreateGroupingRulesRequest(
            grouping_rules=[
                rule(
                    id="dropship",
                    client_id=SHOP,
                    priority=1,
                    match=grouping_rule_service_pb2.GroupingMatch(supplier_ids=["northforge", "lumenworks"]),
                    grouping=grouping_rule_service_pb2.GROUPING_SUPPLIER,
                ),
                rule(id="warehouses", client_id=SHOP, priority=2, grouping=grouping_rule_service_pb2.GROUPING_SHIP_FROM),
            ]
        )
    )
