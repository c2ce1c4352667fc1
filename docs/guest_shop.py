"""A shop for guests, after the first steps: somebody without a name looks at it, and buys."""

import os

from waybill.catalog.v1 import my_product_service_pb2
from waybill.directory.v1 import api_client_service_pb2, buyer_service_pb2, user_service_pb2
from waybill.directory.v1.ordering_context_service_pb2 import AUTO_FORWARD_ALL, OrderingPolicy
from waybill.order.v1 import checkout_service_pb2, line_item_pb2, order_pb2
from waybill.payment.v1 import payment_pb2
from waybill.type.v1.address_pb2 import Address
from waybill.type.v1.party_pb2 import PARTY_KIND_BUYER, Party
from waybill_client import Waybill, text

SERVER = os.environ.get("WAYBILL_SERVER", "127.0.0.1:8420")
SECRET = os.environ["WAYBILL_CLIENT_SECRET"]

visitors = buyer_service_pb2.Buyer(id="visitors", name="Visitors", active=True, currency="USD")
company = Party(kind=PARTY_KIND_BUYER, id="visitors")
visitor = user_service_pb2.User(id="visitor", username="visitor", party=company, active=True, roles=["Shopper"])
policy = OrderingPolicy(auto_forward=AUTO_FORWARD_ALL, require_ship_methods=True, payment_types=["purchase_order"])
web = api_client_service_pb2.ApiClient(
    id="web", name="Web", active=True, buyer_ids=["visitors"], anonymous_user_id="visitor", policy=policy
)

with Waybill(SERVER, "waybill-admin", SECRET) as owner:
    owner.buyers.CreateBuyer(buyer_service_pb2.CreateBuyerRequest(buyer=visitors, request_id="guests-buyer"))
    owner.users.CreateUser(user_service_pb2.CreateUserRequest(user=visitor, request_id="guests-user"))
    owner.api_clients.CreateApiClient(api_client_service_pb2.CreateApiClientRequest(api_client=web, request_id="guests-client"))

with Waybill(SERVER, "web", guest=True) as guest:
    for each in guest.my_products.ListMyProducts(my_product_service_pb2.ListMyProductsRequest(order_by="name")).products:
        print(each.product.name, text(each.price.unit_price))
    home = Address(first_name="Gwen", lines=["1 Home St"], city="Reno", region="NV", postal_code="89501", country="US")
    order = order_pb2.Order(shipping_address=home, from_user=order_pb2.OrderUser(first_name="Gwen", email="gwen@example.com"))
    lines = [line_item_pb2.LineItem(product_id="anvil", quantity=1)]
    payments = [payment_pb2.Payment(type="purchase_order")]
    request = checkout_service_pb2.PlaceOrderRequest(order=order, line_items=lines, payments=payments, request_id="guests-order")
    print(text(guest.checkout.PlaceOrder(request).order.total))
