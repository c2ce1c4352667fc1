"""An order in which something is everywhere, and what each party reads of it and around it.

Everyone reads with FullAccess, so that what is left out is left out for the party, and not for a role.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from libs.auth import PartyKind
from services import roles
from services.host.sample.marketplace import dock
from tests.access.callers import Callers
from tests.support.contracts import services
from tests.support.marketplace import ALL
from waybill.catalog.v1 import product_pb2, product_service_pb2
from waybill.directory.v1 import buyer_service_pb2, seller_service_pb2, supplier_service_pb2
from waybill.fulfillment.v1 import shipment_pb2, shipment_service_pb2, supplier_order_pb2, supplier_order_service_pb2
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2, order_service_pb2
from waybill.payment.v1 import credit_card_service_pb2, payment_pb2
from waybill.type.v1.address_pb2 import Address
from waybill_client import AsyncWaybill, money

ORDER, SUPPLIER_ORDER, SHIPMENT = "FULL", "FULL-1", "FULL-P1"
Seen = dict[str, dict[PartyKind, set[str]]]
"""By message, and of some by the order that it belongs to: which fields each party was shown."""
LEAVES = ("google.", "waybill.type.")
"""Messages that are shown whole or not at all."""
OF_AN_ORDER = ("Order", "OrderUser", "LineItem", "LineItemProduct", "OrderEvent")
"""Messages that stand for a buyer's order and for a supplier order alike."""
READS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("OrderService.GetOrder", "buyer order", {"order_id": ORDER, "direction": ALL, "include_line_items": True}),
    ("OrderService.GetOrder", "supplier order", {"order_id": SUPPLIER_ORDER, "direction": ALL, "include_line_items": True}),
    ("OrderService.ListOrders", "buyer order", {"direction": ALL, "filter": f'id = "{ORDER}"'}),
    ("OrderService.ListOrders", "supplier order", {"direction": ALL, "filter": f'id = "{SUPPLIER_ORDER}"'}),
    ("OrderService.GetOrderTree", "buyer order", {"order_id": ORDER}),
    ("OrderService.ListOrderHistory", "buyer order", {"order_id": ORDER, "direction": ALL}),
    ("OrderService.ListOrderHistory", "supplier order", {"order_id": SUPPLIER_ORDER, "direction": ALL}),
    ("LineItemService.ListLineItems", "buyer order", {"order_id": ORDER, "direction": ALL}),
    ("LineItemService.ListLineItems", "supplier order", {"order_id": SUPPLIER_ORDER, "direction": ALL}),
    ("LineItemService.ListLineItemsAcrossOrders", "buyer order", {"direction": ALL}),
    ("CheckoutService.GetWorksheet", "buyer order", {"order_id": ORDER}),
    ("CheckoutService.ListPayments", "buyer order", {"order_id": ORDER}),
    ("SupplierOrderService.GetSupplierOrder", "supplier order", {"supplier_order_id": SUPPLIER_ORDER}),
    ("SupplierOrderService.ListSupplierOrders", "supplier order", {"filter": f'id = "{SUPPLIER_ORDER}"'}),
    ("ShipmentService.GetShipment", "supplier order", {"shipment_id": SHIPMENT}),
    ("ShipmentService.ListShipments", "supplier order", {}),
    ("ProductService.GetProduct", "", {"product_id": "anvil"}),
    ("ProductService.ListProducts", "", {"filter": 'id = "anvil"'}),
    ("MyProductService.GetMyProduct", "", {"product_id": "anvil", "buyer_id": "acme"}),
    ("MyProductService.ListMyProducts", "", {"filter": 'id = "anvil"', "buyer_id": "acme"}),
    ("InventoryService.CheckAvailability", "", {"product_ids": ["anvil"]}),
    ("SupplierService.GetSupplier", "", {"supplier_id": "northforge"}),
    ("BuyerService.GetBuyer", "", {"buyer_id": "acme"}),
    ("SellerService.GetSeller", "", {}),
    ("CreditCardService.GetCreditCard", "", {"credit_card_id": "visa"}),
    ("SpendingAccountService.ListSpendingAccounts", "", {}),
    ("InventoryService.GetInventoryRecord", "", {"inventory_record_id": "anvil-northforge"}),
    ("UserService.ListUsers", "", {}),
)
"""What is read: the method, the order that the answer is about, the request."""
METHODS = {f"{s.name}.{m.name}": m for s in services() for m in s.methods}
PLACE = Address(company_name="Acme", lines=["2 Side St"], city="San Jose", region="CA", postal_code="95113", country="US")


EVERYTHING = frozenset({roles.FULL_ACCESS})


async def fill(callers: Callers) -> None:
    """Sets up what is around the order, places it, ships a part of it, and holds the rest."""
    await callers.sign_up((kind, EVERYTHING) for kind in PartyKind)
    owner, clerk = callers.market.people.owner, callers.market.people.clerks["northforge"]
    await _around(owner)
    await _bought(callers)
    await _shipped(clerk)
    await owner.orders.HoldOrder(order_service_pb2.HoldOrderRequest(order_id=ORDER, comment="is it really hers?"))


def _with_xp(message: Any) -> Any:
    message.xp.update({"of": type(message).__name__})
    return message


async def _around(owner: AsyncWaybill) -> None:
    anvil = product_pb2.Product(id="anvil")
    await owner.products.UpdateProduct(product_service_pb2.UpdateProductRequest(product=_with_xp(anvil)))
    acme = buyer_service_pb2.Buyer(id="acme")
    await owner.buyers.UpdateBuyer(buyer_service_pb2.UpdateBuyerRequest(buyer=_with_xp(acme)))
    northforge = supplier_service_pb2.Supplier(id="northforge")
    await owner.suppliers.UpdateSupplier(supplier_service_pb2.UpdateSupplierRequest(supplier=_with_xp(northforge)))
    seller = seller_service_pb2.Seller(id="seller")
    await owner.sellers.UpdateSeller(seller_service_pb2.UpdateSellerRequest(seller=_with_xp(seller)))


async def _bought(callers: Callers) -> None:
    async def bought(name: str, request: Message) -> None:
        answer, _ = await callers.call(METHODS[name], request, callers.of(PartyKind.BUYER, EVERYTHING))
        assert answer == ("OK", {}), (name, answer)

    card = credit_card_service_pb2.CreditCard(id="visa", token="tok_approve", card_type="visa", partial_number="4242")
    kept = credit_card_service_pb2.CreateCreditCardRequest(credit_card=_with_xp(card))
    await bought("CreditCardService.CreateCreditCard", kept)
    order = order_pb2.Order(id=ORDER, comments="before noon", billing_address=PLACE, tax_override=money("4.00", "USD"))
    order.gratuity.CopyFrom(money("2.00", "USD"))
    line = line_item_pb2.LineItem(
        id="l1", product_id="anvil", quantity=3, shipping_address=PLACE, discount_override=money("1.00", "USD")
    )
    line.cost_center, line.shipping_account, line.comments = "CC-7", "SWIFT-1", "by the back door"
    line.date_needed.GetCurrentTime()
    payments = [
        payment_pb2.Payment(id="FULL-CARD", type="credit_card", credit_card_id="visa", amount=money("10.00", "USD")),
        payment_pb2.Payment(id="FULL-PO", type="purchase_order", purchase_order_number="4711", description="monthly"),
    ]
    request = checkout_service_pb2.PlaceOrderRequest(
        order=_with_xp(order),
        line_items=[_with_xp(line), line_item_pb2.LineItem(id="l2", product_id="lamp", quantity=1)],
        payments=[_with_xp(payment) for payment in payments],
    )
    await bought("CheckoutService.PlaceOrder", request)


async def _shipped(clerk: AsyncWaybill) -> None:
    own = supplier_order_pb2.SupplierOrder(id=SUPPLIER_ORDER)
    update = supplier_order_service_pb2.UpdateSupplierOrderRequest(supplier_order=_with_xp(own))
    await clerk.supplier_orders.UpdateSupplierOrder(update)
    accept = supplier_order_service_pb2.AcceptSupplierOrderRequest(supplier_order_id=SUPPLIER_ORDER)
    await clerk.supplier_orders.AcceptSupplierOrder(accept)
    item = shipment_pb2.ShipmentItem(
        supplier_order_id=SUPPLIER_ORDER, line_item_id="l1", quantity=2, inventory_record_id="anvil-northforge"
    )
    parcel = shipment_pb2.Shipment(
        id=SHIPMENT,
        carrier="swift",
        tracking_number="SW-1",
        supplier_number="N-1",
        ship_method_id="ground",
        ship_from_id=dock("northforge"),
        cost=money("7.40", "USD"),
        items=[item],
    )
    parcel.ship_time.GetCurrentTime()
    await clerk.shipments.CreateShipment(shipment_service_pb2.CreateShipmentRequest(shipment=_with_xp(parcel)))


async def seen(callers: Callers) -> Seen:
    """What every party was shown by all reads that answer it."""
    found: Seen = defaultdict(lambda: {kind: set[str]() for kind in PartyKind})
    for name, about, arguments in READS:
        for kind in PartyKind:
            method = METHODS[name]
            request = GetMessageClass(method.input_type)(**arguments)
            _, answer = await callers.call(method, request, callers.of(kind, EVERYTHING))
            for part in () if answer is None else parts(answer):
                found[named(part, about)][kind].update(shown.name for shown, _ in part.ListFields())
    return found


def named(part: Message, about: str) -> str:
    """A message's heading in `fields.md`."""
    name = part.DESCRIPTOR.name
    return f"{part.DESCRIPTOR.full_name} of a {about}" if name in OF_AN_ORDER else part.DESCRIPTOR.full_name


def parts(message: Any) -> Iterator[Message]:
    """Every message inside of an answer that has fields."""
    for shown, value in message.ListFields():
        if shown.message_type is not None and not shown.message_type.full_name.startswith(LEAVES):
            for part in value if shown.is_repeated else [value]:
                if part.DESCRIPTOR.fields:
                    yield part
                yield from parts(part)
