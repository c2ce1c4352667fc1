"""However old a cart is: what decided an amount, a source, a destination or a permission is confirmed when it is submitted."""

from __future__ import annotations

from google.protobuf.field_mask_pb2 import FieldMask

from services.host.sample.marketplace import SHOP, party
from tests.e2e.steps import checked_out, promise, ready, refused
from tests.support.marketplace import Marketplace, create
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import address_service_pb2, buyer_service_pb2
from waybill.directory.v1 import api_client_service_pb2 as client_pb
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2
from waybill.shipping.v1 import ship_method_service_pb2
from waybill.type.v1.address_pb2 import Address

ACME = "hq-acme"


async def reasons(market: Marketplace, id: str) -> list[tuple[str, str]]:
    """What a submit is refused for; a check says the same before."""
    checked = await market.people.ada.checkout.ValidateOrder(pb.ValidateOrderRequest(order_id=id))
    error = await refused(market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id=id)))
    refusals = [(rule.reason, rule.subject) for rule in error.rules]
    assert refusals == [(reason.reason, reason.subject) for reason in checked.reasons]
    return refusals


async def change_product(market: Marketplace, product: product_pb2.Product, *paths: str) -> None:
    await market.people.owner.products.UpdateProduct(
        product_service_pb2.UpdateProductRequest(product=product, update_mask=FieldMask(paths=paths))
    )


async def test_a_product_that_changed_in_the_cart_is_refused_until_it_is_worked_out_anew(market: Marketplace) -> None:
    ada = market.people.ada
    await ready(ada, "OLD", promise(), crate=2, tape=1)
    crate = product_pb2.Product(id="crate", default_supplier_id="wh-west", supplier_ids=["wh-east"], tax_class="tools")
    await change_product(market, crate, "default_supplier_id", "supplier_ids", "tax_class")
    await change_product(market, product_pb2.Product(id="tape", name="Tape, brown"), "name")
    assert await reasons(market, "OLD") == [("PRODUCT_CHANGED", "line_items[l1]")]

    # What is calculated from the new product must not be sourced as the old one.
    stale = await refused(ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="OLD")))
    assert stale.reason == "SHIP_ESTIMATE_STALE"
    await checked_out(ada, "OLD", [])
    worksheet = (await ada.checkout.GetWorksheet(pb.GetWorksheetRequest(order_id="OLD"))).worksheet
    assert {e.supplier_id for e in worksheet.ship_estimates} == {"wh-west", "wh-east"}
    sold = (await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="OLD"))).order
    assert sold.status == order_pb2.ORDER_STATUS_OPEN


async def test_a_calculation_reads_the_tax_class_anew(market: Marketplace) -> None:
    await ready(market.people.ada, "CLASS", promise(), tape=1)
    await change_product(market, product_pb2.Product(id="tape", tax_class="tools"), "tax_class")
    assert await reasons(market, "CLASS") == [("PRODUCT_CHANGED", "line_items[l1]")]
    await market.people.ada.checkout.CalculateOrder(pb.CalculateOrderRequest(order_id="CLASS"))
    await market.people.ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="CLASS"))


async def test_a_method_that_is_off_and_an_address_that_was_taken_away_are_refused(market: Marketplace) -> None:
    owner = market.people.owner
    await ready(market.people.ada, "OFF", promise(), anvil=1, lamp=1)
    await owner.ship_methods.UpdateShipMethod(
        ship_method_service_pb2.UpdateShipMethodRequest(
            ship_method=ship_method_service_pb2.ShipMethod(id="ground", active=False), update_mask=FieldMask(paths=["active"])
        )
    )
    await owner.buyers.UpdateBuyer(
        buyer_service_pb2.UpdateBuyerRequest(
            buyer=buyer_service_pb2.Buyer(id="acme", restrict_addresses=True), update_mask=FieldMask(paths=["restrict_addresses"])
        )
    )
    await owner.addresses.UnassignAddresses(
        address_service_pb2.UnassignAddressesRequest(
            assignments=[address_service_pb2.AddressAssignment(party=party("BUYER", "acme"), address_id=ACME)]
        )
    )
    worksheet = (await owner.checkout.GetWorksheet(pb.GetWorksheetRequest(order_id="OFF"))).worksheet
    assert await reasons(market, "OFF") == [
        ("ADDRESS_NOT_FOUND", "shipping_address"),
        ("ADDRESS_NOT_FOUND", "billing_address"),
        *(("SHIP_METHOD_UNAVAILABLE", f"ship_estimates[{e.id}]") for e in worksheet.ship_estimates),
    ]


async def test_a_restricted_buyer_ships_to_no_address_that_is_assigned_for_billing_only(sqlite_market: Marketplace) -> None:
    ada, owner = sqlite_market.people.ada, sqlite_market.people.owner
    await ready(ada, "BILL", promise(), tape=1)
    await owner.buyers.UpdateBuyer(
        buyer_service_pb2.UpdateBuyerRequest(
            buyer=buyer_service_pb2.Buyer(id="acme", restrict_addresses=True), update_mask=FieldMask(paths=["restrict_addresses"])
        )
    )
    only = address_service_pb2.AddressAssignment(party=party("BUYER", "acme"), address_id=ACME, billing=True)
    await owner.addresses.AssignAddresses(address_service_pb2.AssignAddressesRequest(assignments=[only]))
    assert await reasons(sqlite_market, "BILL") == [("ADDRESS_NOT_FOUND", "shipping_address")]
    both = order_pb2.Order(id="BOTH", shipping_address_id=ACME, billing_address_id=ACME)
    line = line_item_pb2.LineItem(product_id="tape", quantity=1, shipping_address_id=ACME)
    error = await refused(ada.orders.CreateOrder(order_service_pb2.CreateOrderRequest(order=both, line_items=[line])))
    assert {(f.field, f.reason) for f in error.fields} == {
        ("order.shipping_address_id", "ADDRESS_NOT_FOUND"),
        ("line_items[0].shipping_address_id", "ADDRESS_NOT_FOUND"),
    }


async def test_an_address_that_changed_in_the_book_is_refused_until_it_is_set_again(sqlite_market: Marketplace) -> None:
    ada, owner = sqlite_market.people.ada, sqlite_market.people.owner
    await create(ada, "MOVED", tape=1)
    await checked_out(ada, "MOVED", promise())
    moved = Address(id=ACME, lines=["9 New St"], city="San Jose", region="CA", postal_code="95113", country="US", phone="1")
    entry = address_service_pb2.AddressEntry(party=party("BUYER", "acme"), address=moved)
    await owner.addresses.UpdateAddress(
        address_service_pb2.UpdateAddressRequest(entry=entry, update_mask=FieldMask(paths=["address"]))
    )
    assert await reasons(sqlite_market, "MOVED") == [
        ("ADDRESS_CHANGED", "shipping_address"),
        ("ADDRESS_CHANGED", "billing_address"),
    ]
    again = order_pb2.Order(id="MOVED", shipping_address_id=ACME, billing_address_id=ACME)
    await ada.orders.UpdateOrder(order_service_pb2.UpdateOrderRequest(order=again))
    await checked_out(ada, "MOVED", [])
    await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="MOVED"))


async def test_a_cart_of_a_channel_that_is_closed_to_its_buyer_is_not_sold(market: Marketplace) -> None:
    """The buyer's own token has ended with it; a user of the seller is refused too, until the channel is open again."""
    owner = market.people.owner
    await ready(market.people.ada, "SHUT", promise(), tape=1)
    only = {"paths": ["allow_any_buyer", "buyer_ids"]}
    closing = client_pb.ApiClient(id=SHOP, buyer_ids=["globex"])
    await owner.api_clients.UpdateApiClient(client_pb.UpdateApiClientRequest(api_client=closing, update_mask=only))
    error = await refused(owner.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="SHUT")))
    assert [(rule.reason, rule.subject) for rule in error.rules] == [("CHANNEL_CLOSED_TO_BUYER", "client_id")]
    opening = client_pb.ApiClient(id=SHOP, buyer_ids=["globex", "acme"])
    await owner.api_clients.UpdateApiClient(client_pb.UpdateApiClientRequest(api_client=opening, update_mask=only))
    sold = (await owner.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="SHUT"))).order
    assert sold.status == order_pb2.ORDER_STATUS_OPEN
