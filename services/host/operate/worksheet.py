"""One order on a page: what it costs, what is in it, how it is paid, and who delivers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table
from rich.text import Text

from services.host.remote.showing import out, table, word
from services.host.tables import put
from waybill.fulfillment.v1 import shipment_pb2, supplier_order_pb2
from waybill.order.v1 import line_item_pb2, order_pb2
from waybill.order.v1 import order_service_pb2 as pb
from waybill.payment.v1 import payment_pb2
from waybill_client import text

LINES = ("line", "product", "name", "quantity", "shipped", "canceled", "unit price", "discount", "tax", "total")
PAYMENTS = ("payment", "type", "state", "amount", "captured", "refunded")
SUPPLIER_ORDERS = ("supplier order", "supplier", "status", "shipping", "tax", "total")
SHIPMENTS = ("shipment", "supplier", "carrier", "tracking", "shipped", "units")


def show_worksheet(tree: pb.GetOrderTreeResponse, payments: Sequence[payment_pb2.Payment]) -> None:
    """The order's own facts, then a table for each kind of what belongs to it."""
    _show_facts(_facts(tree.order))
    _show_rows("lines", LINES, [_line(one) for one in tree.line_items])
    _show_rows("payments", PAYMENTS, [_payment(one) for one in payments])
    _show_rows("supplier orders", SUPPLIER_ORDERS, [_supplier_order(one) for one in tree.supplier_orders])
    _show_rows("shipments", SHIPMENTS, [_shipment(one) for one in tree.shipments])


def _facts(order: order_pb2.Order) -> Mapping[str, str]:
    held = [hold.id for hold in order.holds if not hold.HasField("release_time")]
    found = {
        "order": order.id,
        "status": f"{word(order_pb2.OrderStatus, order.status)} {order.sub_status}".rstrip(),
        "on hold by": ", ".join(held),
        "buyer": order.from_party.id,
        "user": order.from_user.id,
        "client": order.client_id,
        "created": _moment(order.create_time),
        "submitted": _moment(order.submit_time),
        "completed": _moment(order.complete_time),
        "subtotal": text(order.subtotal),
        "discount": text(order.discount),
        "shipping": text(order.shipping_cost),
        "tax": text(order.tax),
        "total": text(order.total),
        "comments": order.comments,
    }
    return {name: value for name, value in found.items() if value}


def _show_facts(facts: Mapping[str, str]) -> None:
    grid = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        grid.add_row(Text(name, style="dim"), Text(value if out.is_terminal else " ".join(value.split())))
    put(out, grid)


def _show_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        out.print(f"\n[bold]{title}[/bold]")
        put(out, table(dict.fromkeys(columns, ""), rows))


def _line(line: line_item_pb2.LineItem) -> list[str]:
    counts = (line.quantity, line.quantity_shipped, line.quantity_canceled)
    amounts = (line.unit_price, line.discount, line.tax, line.total)
    return [line.id, line.product_id, line.product.name, *map(str, counts), *map(text, amounts)]


def _payment(payment: payment_pb2.Payment) -> list[str]:
    amount = payment.resolved_amount if payment.HasField("resolved_amount") else payment.amount
    state = word(payment_pb2.PaymentState, payment.state)
    return [payment.id, payment.type, state, *map(text, (amount, payment.captured_amount, payment.refunded_amount))]


def _supplier_order(part: supplier_order_pb2.SupplierOrder) -> list[str]:
    status = word(supplier_order_pb2.SupplierOrderStatus, part.status)
    amounts = map(text, (part.shipping_cost, part.tax, part.total))
    return [part.id, part.supplier_id or "seller", status, *amounts]


def _shipment(shipment: shipment_pb2.Shipment) -> list[str]:
    units = sum(item.quantity for item in shipment.items)
    when = _moment(shipment.ship_time)
    return [shipment.id, shipment.supplier_id or "seller", shipment.carrier, shipment.tracking_number, when, str(units)]


def _moment(time: Timestamp) -> str:
    return f"{time.ToDatetime():%Y-%m-%d %H:%M:%S}Z" if time.seconds else ""
