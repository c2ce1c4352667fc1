"""Sets up the least that an order needs: a buyer with a user, two products with prices, a way to ship.

Every call has a request id, so the script can be run again: what is there stays as it is.
"""

import os

from google.protobuf.duration_pb2 import Duration

from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import address_service_pb2, api_client_service_pb2, buyer_service_pb2, user_service_pb2
from waybill.directory.v1.ordering_context_service_pb2 import AUTO_FORWARD_ALL, OrderingPolicy
from waybill.pricing.v1 import price_schedule_service_pb2
from waybill.shipping.v1 import carrier_service_pb2, rate_table_service_pb2, ship_method_service_pb2, zone_service_pb2
from waybill.shipping.v1 import ship_method_assignment_service_pb2 as assignment_pb2
from waybill.type.v1.address_pb2 import Address
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, Party
from waybill_client import Waybill, money

SERVER = os.environ.get("WAYBILL_SERVER", "127.0.0.1:8420")
SECRET = os.environ["WAYBILL_CLIENT_SECRET"]

acme = Party(kind=PARTY_KIND_BUYER, id="acme")
buyer = buyer_service_pb2.Buyer(id="acme", name="Acme", active=True, currency="USD")
ada = user_service_pb2.User(
    id="ada", party=acme, username="ada", active=True, roles=["Shopper"], password="correct horse battery staple"
)
hq = Address(id="hq", lines=["1 Main St"], city="San Jose", region="CA", postal_code="95113", country="US")
used = address_service_pb2.AddressAssignment(party=acme, address_id="hq", shipping=True, billing=True)
shop = api_client_service_pb2.ApiClient(
    id="shop",
    name="Web shop",
    active=True,
    allow_any_buyer=True,
    policy=OrderingPolicy(auto_forward=AUTO_FORWARD_ALL, require_ship_methods=True, payment_types=["purchase_order"]),
)
swift = carrier_service_pb2.Carrier(id="swift", name="Swift", active=True)
us = zone_service_pb2.Zone(id="us", name="United States", destinations=[zone_service_pb2.ZoneDestination(country="US")])
ground = ship_method_service_pb2.ShipMethod(
    id="ground",
    name="Ground",
    carrier_id="swift",
    active=True,
    min_lead_time=Duration(seconds=3 * 86400),
    max_lead_time=Duration(seconds=5 * 86400),
)
rates = rate_table_service_pb2.RateTable(
    id="ground-us",
    ship_method_id="ground",
    zone_id="us",
    currency="USD",
    rows=[rate_table_service_pb2.RateRow(price=money("9.00", "USD"))],
)
everywhere = assignment_pb2.ShipMethodAssignment(ship_method_id="ground")

with Waybill(SERVER, "waybill-admin", SECRET) as owner:
    owner.buyers.CreateBuyer(buyer_service_pb2.CreateBuyerRequest(buyer=buyer, request_id="first-buyer"))
    owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=ada, request_id="first-user"))
    entry = address_service_pb2.AddressEntry(party=acme, address=hq)
    owner.addresses.CreateAddresses(address_service_pb2.CreateAddressesRequest(entries=[entry], request_id="first-address"))
    owner.addresses.AssignAddresses(address_service_pb2.AssignAddressesRequest(assignments=[used], request_id="first-use"))
    owner.api_clients.CreateApiClient(api_client_service_pb2.CreateApiClientRequest(api_client=shop, request_id="first-client"))
    for id, name, price in (("anvil", "Anvil", "189.00"), ("lamp", "Work lamp", "64.30")):
        product = product_pb2.Product(id=id, name=name, active=True, shippable=True)
        owner.products.CreateProduct(product_service_pb2.CreateProductRequest(product=product, request_id=f"first-product-{id}"))
        schedule = price_schedule_service_pb2.PriceSchedule(id=id, currency="USD")
        schedule.price_breaks.add(quantity=1, price=money(price, "USD"))
        owner.price_schedules.CreatePriceSchedule(
            price_schedule_service_pb2.CreatePriceScheduleRequest(price_schedule=schedule, request_id=f"first-prices-{id}")
        )
        assigned = price_schedule_service_pb2.PriceAssignment(product_id=id, price_schedule_id=id)
        owner.price_schedules.AssignPriceSchedules(
            price_schedule_service_pb2.AssignPriceSchedulesRequest(assignments=[assigned], request_id=f"first-price-{id}")
        )
    owner.carriers.CreateCarrier(carrier_service_pb2.CreateCarrierRequest(carrier=swift, request_id="first-carrier"))
    owner.zones.CreateZone(zone_service_pb2.CreateZoneRequest(zone=us, request_id="first-zone"))
    owner.ship_methods.CreateShipMethod(
        ship_method_service_pb2.CreateShipMethodRequest(ship_method=ground, request_id="first-method")
    )
    owner.rate_tables.CreateRateTable(rate_table_service_pb2.CreateRateTableRequest(rate_table=rates, request_id="first-rates"))
    owner.ship_method_assignments.CreateShipMethodAssignment(
        assignment_pb2.CreateShipMethodAssignmentRequest(ship_method_assignment=everywhere, request_id="first-assignment")
    )
