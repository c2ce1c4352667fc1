"""Places an order, reads it, makes a mistake, and watches what became of the order.

python order.py <host:port> <client id> <user name> <password>
"""

import sys
import uuid

from google.protobuf.json_format import MessageToDict

from waybill.order.v1 import checkout_service_pb2 as checkout
from waybill.order.v1 import order_pb2, order_service_pb2
from waybill_client import Waybill, WaybillError, decimal, money, text

address, client_id, username, password = sys.argv[1:]

# Kept outside of the call: whoever sends it again after a crash of its own sends the same id, and orders once.
request_id = uuid.uuid4().hex
place = checkout.PlaceOrderRequest(request_id=request_id)
place.order.id = f"PYTHON-{request_id[:8]}"
place.order.xp.update({"source": "python", "campaign": {"id": 7, "tags": ["spring", None]}})
place.line_items.add(product_id="anvil", quantity=4)
place.line_items.add(product_id="lamp", quantity=2)
place.payments.add(type="purchase_order", purchase_order_number="4711")

# The client signs in by itself, and sends again what was not answered.
with Waybill(address, client_id, username=username, password=password) as waybill:
    answer = waybill.checkout.PlaceOrder(place)
    order = answer.order
    print("placed", order_pb2.OrderStatus.Name(order.status), text(order.total))
    print("repeated", "the same order" if waybill.checkout.PlaceOrder(place).order.id == order.id else "ANOTHER ORDER")

    # Amounts are exact decimals; a float is never involved.
    goods = sum(decimal(line.subtotal) for line in answer.line_items)
    quantities = " ".join(str(line.quantity) for line in answer.line_items)
    print("goods", "exact" if goods == decimal(money("884.60", "USD")) else goods, "quantities", quantities)
    print("xp", MessageToDict(order.xp))

    wrong = order_service_pb2.CreateOrderRequest()
    wrong.line_items.add(product_id="anvil", quantity=0)
    try:
        waybill.orders.CreateOrder(wrong)
    except WaybillError as error:
        print("refused", error.code.name, error.reason, *(f"{field.field}:{field.reason}" for field in error.fields))
    outgoing = order_pb2.DIRECTION_OUTGOING
    try:
        waybill.orders.GetOrder(order_service_pb2.GetOrderRequest(order_id="nowhere", direction=outgoing))
    except WaybillError as error:
        print("refused", error.code.name, error.reason, sorted(error.metadata.items()))

    # From the start of the order up to its submit; then a second watch goes on after the token that the first one has left.
    wanted = order_service_pb2.WatchOrdersRequest(direction=outgoing, order_ids=[order.id], from_start=True)
    for message in waybill.watch_orders(wanted):
        wanted.resume_token, wanted.from_start = message.resume_token, False
        if message.HasField("event"):
            print("event", message.event.sequence, message.event.type)
            break
    for message in waybill.watch_orders(wanted):
        if message.HasField("event"):
            print("event", message.event.sequence, message.event.type)
            if message.event.status == order_pb2.ORDER_STATUS_OPEN:
                break
