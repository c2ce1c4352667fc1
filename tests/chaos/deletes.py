"""Deletions: of an order that was never submitted, and of one or two kinds of each context's resources.

What is gone was deleted once, has left its last state in the feed of its context, and keeps its id taken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from google.type.decimal_pb2 import Decimal

from services.host.sample.marketplace import CURRENCY, dock, party
from services.host.sample.parties import People
from tests.chaos import steps
from tests.chaos.steps import refusal, until_answered
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.changes.v1 import change_service_pb2 as changes_pb
from waybill.directory.v1 import address_service_pb2, supplier_service_pb2
from waybill.fulfillment.v1 import inventory_pb2, inventory_service_pb2
from waybill.order.v1 import checkout_service_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import credit_card_service_pb2, spending_account_service_pb2
from waybill.pricing.v1 import price_schedule_service_pb2, tax_rate_service_pb2
from waybill.shipping.v1 import carrier_service_pb2, zone_service_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client import money

VERIFIED = r"#\d|order>(catalog|directory|pricing)"
"""Verifying repeats every deletion, which commits a second time, and asks for another order of the same id, with its prices."""
FINISHED = r"FinishDeletions|BatchDeletePayments"
"""What the sweep of carts does for an order that is gone, so that nothing of it is left in payment."""
GONE, TAKEN = "RESOURCE_NOT_FOUND", "ID_OF_DELETED"
Call = Callable[[People, str, str], Awaitable[object]]
"""Makes or deletes the resource of an id, under a request id."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource that is set up."""

    context: str
    name: str
    """As the feed of changes names it."""
    make: Call
    delete: Call
    book: str = ""
    """What stands before its id in the feed, where ids are unique within a company only."""


BOOK = party("BUYER", "globex")
_ADDRESS = Address(lines=["1 Main St"], city="Denver", region="CO", postal_code="80202", country="US")


async def _make_address(people: People, id: str, request_id: str) -> None:
    """With an assignment, which goes with it."""
    entry = address_service_pb2.AddressEntry(party=BOOK, address=_named(id), user_id="gil")
    await people.owner.addresses.CreateAddresses(
        address_service_pb2.CreateAddressesRequest(entries=[entry], request_id=request_id)
    )


def _named(id: str) -> Address:
    made = Address(id=id)
    made.MergeFrom(_ADDRESS)
    return made


async def _delete_address(people: People, id: str, request_id: str) -> None:
    request = address_service_pb2.DeleteAddressRequest(party=BOOK, address_id=id, request_id=request_id)
    await people.owner.addresses.DeleteAddress(request)


async def _make_supplier(people: People, id: str, request_id: str) -> None:
    made = supplier_service_pb2.Supplier(id=id, name="Brief Supplies", active=True)
    await people.owner.suppliers.CreateSupplier(supplier_service_pb2.CreateSupplierRequest(supplier=made, request_id=request_id))


async def _delete_supplier(people: People, id: str, request_id: str) -> None:
    request = supplier_service_pb2.DeleteSupplierRequest(supplier_id=id, request_id=request_id)
    await people.owner.suppliers.DeleteSupplier(request)


async def _make_product(people: People, id: str, request_id: str) -> None:
    made = product_pb2.Product(id=id, name="Brief", active=True, track_inventory=True)
    await people.owner.products.CreateProduct(product_service_pb2.CreateProductRequest(product=made, request_id=request_id))


async def _delete_product(people: People, id: str, request_id: str) -> None:
    await people.owner.products.DeleteProduct(product_service_pb2.DeleteProductRequest(product_id=id, request_id=request_id))


async def _make_schedule(people: People, id: str, request_id: str) -> None:
    breaks = [price_schedule_service_pb2.PriceBreak(quantity=1, price=money("1.00", CURRENCY))]
    made = price_schedule_service_pb2.PriceSchedule(id=id, currency=CURRENCY, price_breaks=breaks)
    await people.owner.price_schedules.CreatePriceSchedule(
        price_schedule_service_pb2.CreatePriceScheduleRequest(price_schedule=made, request_id=request_id)
    )


async def _delete_schedule(people: People, id: str, request_id: str) -> None:
    request = price_schedule_service_pb2.DeletePriceScheduleRequest(price_schedule_id=id, request_id=request_id)
    await people.owner.price_schedules.DeletePriceSchedule(request)


async def _make_tax_rate(people: People, id: str, request_id: str) -> None:
    # A class of its own: no product has it, and no two rates may be for the same place and class.
    made = tax_rate_service_pb2.TaxRate(id=id, country="US", tax_class=id, rate=Decimal(value="0.1"))
    await people.owner.tax_rates.CreateTaxRate(tax_rate_service_pb2.CreateTaxRateRequest(tax_rate=made, request_id=request_id))


async def _delete_tax_rate(people: People, id: str, request_id: str) -> None:
    await people.owner.tax_rates.DeleteTaxRate(tax_rate_service_pb2.DeleteTaxRateRequest(tax_rate_id=id, request_id=request_id))


async def _make_zone(people: People, id: str, request_id: str) -> None:
    made = zone_service_pb2.Zone(id=id, name="Brief", destinations=[zone_service_pb2.ZoneDestination(country="CA")])
    await people.owner.zones.CreateZone(zone_service_pb2.CreateZoneRequest(zone=made, request_id=request_id))


async def _delete_zone(people: People, id: str, request_id: str) -> None:
    await people.owner.zones.DeleteZone(zone_service_pb2.DeleteZoneRequest(zone_id=id, request_id=request_id))


async def _make_carrier(people: People, id: str, request_id: str) -> None:
    made = carrier_service_pb2.Carrier(id=id, name="Brief", active=True)
    await people.owner.carriers.CreateCarrier(carrier_service_pb2.CreateCarrierRequest(carrier=made, request_id=request_id))


async def _delete_carrier(people: People, id: str, request_id: str) -> None:
    await people.owner.carriers.DeleteCarrier(carrier_service_pb2.DeleteCarrierRequest(carrier_id=id, request_id=request_id))


async def _make_card(people: People, id: str, request_id: str) -> None:
    made = credit_card_service_pb2.CreditCard(id=id, token="tok_approve", partial_number="4242")
    await people.ada.credit_cards.CreateCreditCard(
        credit_card_service_pb2.CreateCreditCardRequest(credit_card=made, request_id=request_id)
    )


async def _delete_card(people: People, id: str, request_id: str) -> None:
    request = credit_card_service_pb2.DeleteCreditCardRequest(credit_card_id=id, request_id=request_id)
    await people.ada.credit_cards.DeleteCreditCard(request)


async def _make_account(people: People, id: str, request_id: str) -> None:
    # Without money: an account that ever had some stays.
    made = spending_account_service_pb2.SpendingAccount(id=id, name="Brief", buyer_id="acme", currency=CURRENCY, active=True)
    await people.owner.spending_accounts.CreateSpendingAccount(
        spending_account_service_pb2.CreateSpendingAccountRequest(spending_account=made, request_id=request_id)
    )


async def _delete_account(people: People, id: str, request_id: str) -> None:
    request = spending_account_service_pb2.DeleteSpendingAccountRequest(spending_account_id=id, request_id=request_id)
    await people.owner.spending_accounts.DeleteSpendingAccount(request)


async def _make_record(people: People, id: str, request_id: str) -> None:
    """With units, whose receipt stands in its ledger."""
    made = inventory_pb2.InventoryRecord(
        id=id, product_id=id, supplier_id="northforge", location_id=dock("northforge"), address=_ADDRESS, active=True
    )
    await people.owner.inventory.CreateInventoryRecord(
        inventory_service_pb2.CreateInventoryRecordRequest(inventory_record=made, opening_quantity=5, request_id=request_id)
    )


async def _delete_record(people: People, id: str, request_id: str) -> None:
    request = inventory_service_pb2.DeleteInventoryRecordRequest(inventory_record_id=id, request_id=request_id)
    await people.owner.inventory.DeleteInventoryRecord(request)


KINDS = (
    Kind("directory", "address", _make_address, _delete_address, "BUYER:globex/"),
    Kind("directory", "supplier", _make_supplier, _delete_supplier),
    Kind("catalog", "product", _make_product, _delete_product),
    Kind("pricing", "price schedule", _make_schedule, _delete_schedule),
    Kind("pricing", "tax rate", _make_tax_rate, _delete_tax_rate),
    Kind("shipping", "zone", _make_zone, _delete_zone),
    Kind("shipping", "carrier", _make_carrier, _delete_carrier),
    Kind("payment", "credit card", _make_card, _delete_card),
    Kind("payment", "spending account", _make_account, _delete_account),
    Kind("fulfillment", "inventory record", _make_record, _delete_record),
)


async def deleted(people: People, context: str, resource: str) -> list[changes_pb.Change]:
    """Deletions of a kind of resource that the feed of its context has."""

    async def read() -> list[changes_pb.Change]:
        found: list[changes_pb.Change] = []
        server = people.owner.at(people.addresses[context])
        request = changes_pb.WatchChangesRequest(context=context, resources=[resource], from_start=True)
        begins = True
        async for message in server.changes.WatchChanges(request):
            if message.change.HasField("deleted_body"):
                found.append(message.change)
            if not begins and not message.HasField("change"):
                break
            begins = False
        return found

    return await until_answered(read)


async def in_the_feed(people: People, context: str, resource: str, of: Callable[[changes_pb.Change], bool], count: int) -> None:
    """So many deletions of what is meant, each of another resource. One becomes visible when all that began before has ended."""
    found: list[str] = []
    async with steps.patience():
        while len(found) < count:
            found = [change.resource_id for change in await deleted(people, context, resource) if of(change)]
            await steps.moment()
    assert len(found) == len(set(found)) == count, f"{resource}: deleted {found}"


def request_of(kind: Kind, tag: str, what: str) -> str:
    """A request id of its own."""
    return f"{tag}-{what}-{kind.name}".replace(" ", "-")


async def make(people: People, tag: str) -> None:
    """One of each kind."""
    for kind in KINDS:
        await kind.make(people, tag, request_of(kind, tag, "make"))


async def delete(people: People, tag: str) -> None:
    """All of them."""
    for kind in KINDS:
        await until_answered(partial(kind.delete, people, tag, request_of(kind, tag, "delete")))


async def all_are_gone(people: People, tag: str) -> None:
    """Each was deleted once, is not there any more, and its id is taken."""
    await delete(people, tag)
    for kind in KINDS:
        again = await refusal(partial(kind.delete, people, tag, request_of(kind, tag, "again")))
        anew = await refusal(partial(kind.make, people, tag, request_of(kind, tag, "anew")))
        repeated = await refusal(partial(kind.make, people, tag, request_of(kind, tag, "make")))
        assert (again, anew, repeated) == (GONE, TAKEN, GONE), kind.name
        await in_the_feed(people, kind.context, kind.name, partial(_is, f"{kind.book}{tag}"), 1)
    await in_the_feed(people, "directory", "address assignment", partial(_is, f"BUYER:globex/{tag}/gil/"), 1)


def _is(id: str, change: changes_pb.Change) -> bool:
    return change.resource_id == id


async def delete_order(people: People, tag: str) -> None:
    """Its user deletes it."""
    await until_answered(lambda: _delete_order(people, tag, "delete"))


async def _delete_order(people: People, id: str, what: str) -> None:
    await people.ada.orders.DeleteOrder(order_service_pb2.DeleteOrderRequest(order_id=id, request_id=f"{id}-{what}"))


async def order_is_gone(people: People, tag: str) -> None:
    """With its payments; its watchers are sent one deletion, after all the rest."""
    await delete_order(people, tag)
    anew = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=tag), line_items=steps.lines(steps.CART))
    listing = checkout_service_pb2.ListPaymentsRequest(order_id=tag)
    assert await refusal(lambda: _delete_order(people, tag, "again")) == GONE
    assert await refusal(lambda: steps.read(people.ada, tag)) == GONE
    assert await refusal(lambda: people.ada.checkout.ListPayments(listing)) == GONE
    assert await refusal(lambda: people.ada.orders.CreateOrder(anew)) == TAKEN
    types = [event.type for event in await _watched(people, tag)]
    assert types.count("order_deleted") == 1, types
    assert (types[0], types[-1]) == ("order_created", "order_deleted"), types
    await in_the_feed(people, "payment", "payment", lambda change: change.deleted_body["order_id"] == tag, 2)


async def _watched(people: People, id: str) -> list[order_service_pb2.OrderEvent]:
    """What a watcher from the start is sent, up to the deletion."""
    request = order_service_pb2.WatchOrdersRequest(direction=order_pb2.DIRECTION_OUTGOING, order_ids=[id], from_start=True)
    found: list[order_service_pb2.OrderEvent] = []
    async with steps.patience():
        async for message in people.ada.watch_orders(request):
            if message.HasField("event"):
                found.append(message.event)
                if message.event.type == "order_deleted":
                    break
    assert [event.sequence for event in found] == list(range(1, len(found) + 1)), id
    return found
