"""What the seller sets up for the trade story: a channel, a buyer in Germany, products, stock, prices, costs, freight, points."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal as Exact

from services.host.demo.b2b import terms
from services.host.demo.b2b.products import set_up_products
from services.host.demo.b2b.terms import BOARD, CURRENCY, FORGE, KNIFE, LIGHTS, POINTS, STONE
from services.host.sample.marketplace import PASSWORD, party
from waybill.directory.v1 import address_service_pb2 as addresses_pb
from waybill.directory.v1 import api_client_service_pb2 as channels_pb
from waybill.directory.v1 import buyer_service_pb2, user_service_pb2
from waybill.directory.v1 import ordering_context_service_pb2 as policies
from waybill.fulfillment.v1 import inventory_pb2
from waybill.fulfillment.v1 import inventory_service_pb2 as stock_pb
from waybill.payment.v1 import spending_account_service_pb2 as accounts_pb
from waybill.pricing.v1 import cost_schedule_service_pb2 as costs_pb
from waybill.pricing.v1 import tax_rate_service_pb2 as taxes_pb
from waybill.shipping.v1 import grouping_rule_service_pb2 as grouping_pb
from waybill.shipping.v1 import rate_table_service_pb2 as freight_pb
from waybill.shipping.v1 import zone_service_pb2 as zones_pb
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, money

CHANNEL, COMPANY, BUYER = "trade", "hansa", "hanna"
WAREHOUSE, ACCOUNT = "own-warehouse", "hansa-points"
ANSWER = timedelta(minutes=1)
"""How long suppliers have to answer: the shortest time that a channel can give them."""
HOME = Address(
    id="hq-hansa", company_name="Hansa Kitchens", lines=["1 Hafenstr."], city="Hamburg", postal_code="20457", country="DE"
)
YARD = Address(id=WAREHOUSE, company_name="The seller", lines=["9 Yard Rd"], city="Bremen", postal_code="28195", country="DE")


async def set_up_trade(owner: AsyncWaybill) -> datetime:
    """Everything; when more boards are expected."""
    await _channel(owner)
    await set_up_products(owner)
    await _taxes_and_freight(owner)
    await _costs(owner)
    await _points(owner)
    return await _stock(owner)


async def _channel(owner: AsyncWaybill) -> None:
    buyer = buyer_service_pb2.Buyer(id=COMPANY, name="Hansa Kitchens", active=True, currency=CURRENCY)
    await owner.buyers.CreateBuyer(buyer_service_pb2.CreateBuyerRequest(buyer=buyer))
    hanna = user_service_pb2.User(
        id=BUYER,
        username=BUYER,
        party=party("BUYER", COMPANY),
        active=True,
        password=PASSWORD,
        roles=["Shopper", "MeCreditCardAdmin"],
    )
    await owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=hanna))
    entries = [
        addresses_pb.AddressEntry(party=party("BUYER", COMPANY), address=HOME),
        addresses_pb.AddressEntry(party=party("SELLER", "seller"), address=YARD),
    ]
    await owner.addresses.CreateAddresses(addresses_pb.CreateAddressesRequest(entries=entries))
    used = addresses_pb.AddressAssignment(party=party("BUYER", COMPANY), address_id=HOME.id, shipping=True, billing=True)
    await owner.addresses.AssignAddresses(addresses_pb.AssignAddressesRequest(assignments=[used]))
    policy = policies.OrderingPolicy(
        auto_forward=policies.AUTO_FORWARD_ALL,
        require_ship_methods=True,
        payment_coverage=policies.PAYMENT_COVERAGE_TOTAL,
        sourcing_strategy="default_supplier",
        payment_types=["credit_card", "spending_account"],
        accept_within=Duration(seconds=int(ANSWER.total_seconds())),
        capture=policies.PAYMENT_CAPTURE_ON_SHIPMENT,
    )
    channel = channels_pb.ApiClient(id=CHANNEL, name="Trade", active=True, buyer_ids=[COMPANY], policy=policy)
    await owner.api_clients.CreateApiClient(channels_pb.CreateApiClientRequest(api_client=channel))


async def _taxes_and_freight(owner: AsyncWaybill) -> None:
    """Germany has one rate, for goods and for freight, and freight is asked with it."""
    rates = [
        taxes_pb.TaxRate(country="DE", tax_class=taxed, rate=Exact(value=str(terms.TAX))) for taxed in ("standard", "shipping")
    ]
    await owner.tax_rates.BatchCreateTaxRates(taxes_pb.BatchCreateTaxRatesRequest(tax_rates=rates))
    zone = zones_pb.Zone(id="de", name="Germany", destinations=[zones_pb.ZoneDestination(country="DE")])
    await owner.zones.CreateZone(zones_pb.CreateZoneRequest(zone=zone))
    row = freight_pb.RateRow(price=money(terms.FREIGHT, CURRENCY), per_kg=money(terms.FREIGHT_PER_KG, CURRENCY))
    table = freight_pb.RateTable(
        id="ground-de", ship_method_id="ground", zone_id="de", currency=CURRENCY, rows=[row], tax_included=True
    )
    await owner.rate_tables.CreateRateTable(freight_pb.CreateRateTableRequest(rate_table=table))
    rule = grouping_pb.GroupingRule(id="trade-parcels", client_id=CHANNEL, priority=1, grouping=grouping_pb.GROUPING_SHIP_FROM)
    await owner.grouping_rules.CreateGroupingRule(grouping_pb.CreateGroupingRuleRequest(grouping_rule=rule))


async def _costs(owner: AsyncWaybill) -> None:
    made = []
    for product, cost in ((KNIFE, terms.KNIFE_COST), (STONE, terms.STONE_COST)):
        schedule = costs_pb.CostSchedule(id=f"cost-{product}", supplier_id=FORGE, product_id=product, currency=CURRENCY)
        schedule.price_breaks.add(quantity=1, price=money(cost, CURRENCY))
        made.append(schedule)
    await owner.cost_schedules.BatchCreateCostSchedules(costs_pb.BatchCreateCostSchedulesRequest(cost_schedules=made))


async def _points(owner: AsyncWaybill) -> None:
    account = accounts_pb.SpendingAccount(
        id=ACCOUNT,
        name="Points",
        buyer_id=COMPANY,
        currency=POINTS,
        active=True,
        rate=Exact(value=str(terms.POINT)),
        order_currency=CURRENCY,
        opening_balance=money(terms.OPENING_POINTS, POINTS),
    )
    await owner.spending_accounts.CreateSpendingAccount(accounts_pb.CreateSpendingAccountRequest(spending_account=account))
    everyone = accounts_pb.SpendingAccountAssignment(spending_account_id=ACCOUNT)
    await owner.spending_accounts.AssignSpendingAccounts(accounts_pb.AssignSpendingAccountsRequest(assignments=[everyone]))


async def _stock(owner: AsyncWaybill) -> datetime:
    """Knives by variant at Northforge, whetstones at both suppliers, boards at the seller: more are on their way."""
    expected = datetime.now(UTC).replace(microsecond=0) + timedelta(days=14)
    when = Timestamp()
    when.FromDatetime(expected)
    record = inventory_pb2.InventoryRecord
    kept = [
        *(
            (record(id=f"{KNIFE}-{variant}", product_id=KNIFE, variant_id=variant, supplier_id=FORGE), 40)
            for variant in ("short-oak", "short-horn", "long-oak", "long-horn")
        ),
        (record(id=f"{STONE}-{LIGHTS}", product_id=STONE, supplier_id=LIGHTS), 20),
        (record(id=f"{STONE}-{FORGE}", product_id=STONE, supplier_id=FORGE), 20),
        (
            record(id=f"{BOARD}-own", product_id=BOARD, can_exceed=True, backorder_limit=terms.BOARDS_BEYOND, expected_time=when),
            terms.BOARDS_ON_HAND,
        ),
    ]
    new = []
    for each, units in kept:
        each.active = True
        each.location_id = f"dock-{each.supplier_id}" if each.supplier_id else WAREHOUSE
        new.append(stock_pb.NewInventoryRecord(inventory_record=each, opening_quantity=units))
    await owner.inventory.BatchCreateInventoryRecords(stock_pb.BatchCreateInventoryRecordsRequest(inventory_records=new))
    return expected
