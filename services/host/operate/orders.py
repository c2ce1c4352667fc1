"""`waybill order`: orders as the seller sees them."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from services.host.operate.import_lines import import_lines
from services.host.operate.worksheet import show_worksheet
from services.host.remote.server_options import AsJson, Filter
from services.host.remote.session import Operator, command
from services.host.remote.showing import age, as_data, err, out, print_json, show, word
from services.host.tables import put
from waybill.fulfillment.v1 import supplier_order_pb2
from waybill.order.v1 import checkout_service_pb2, order_pb2
from waybill.order.v1 import order_service_pb2 as pb
from waybill_client import text

orders = typer.Typer(no_args_is_help=True, help="Orders with all that belongs to them.")
COLUMNS = {"order": "bold", "status": "", "buyer": "", "user": "", "lines": "", "total": "", "created": "", "submitted": ""}
Order = Annotated[str, typer.Argument(help="Id of a buyer order.")]
command(orders, "import")(import_lines)


@command(orders, "list")
async def list_orders(
    at: Operator,
    filter: Filter = "",
    order_by: Annotated[str, typer.Option(help="Fields, each with desc if wanted.")] = "create_time desc",
    page_size: Annotated[int, typer.Option(min=1, max=1000, help="Most orders to list.")] = 50,
    total: Annotated[bool, typer.Option("--total", help="Also count all that the filter keeps.")] = False,
    page_token: Annotated[str, typer.Option(help="Goes on where a page ended; the other options stay as they were.")] = "",
    json: AsJson = False,
) -> int:
    """Lists a page of the buyers' orders, and says how to get the next one."""
    request = pb.ListOrdersRequest(
        direction=order_pb2.DIRECTION_INCOMING,
        filter=filter,
        order_by=order_by,
        page_size=page_size,
        page_token=page_token,
        include_total=total,
    )
    page = await at.ask(lambda client: client.orders.ListOrders(request))
    if json:
        counted = {"total_size": page.total_size} if total else {}
        print_json({"orders": [as_data(order) for order in page.orders], "next_page_token": page.next_page_token, **counted})
        return 0
    show(page.orders, False, COLUMNS, map(_row, page.orders), "no order")
    if total:
        err.print(f"orders in all: {page.total_size:,}", highlight=False)
    if page.next_page_token:
        err.print(f"more: --page-token {page.next_page_token}", markup=False, highlight=False, soft_wrap=True)
    return 0


@command(orders, "show")
async def show_order(at: Operator, order: Order, json: AsJson = False) -> int:
    """Shows one order: amounts, lines, payments, supplier orders, shipments."""
    tree = await _tree(at, order)
    request = checkout_service_pb2.ListPaymentsRequest(order_id=order)
    payments = (await at.ask(lambda client: client.checkout.ListPayments(request))).payments
    if json:
        print_json({**as_data(tree), "payments": [as_data(payment) for payment in payments]})
    else:
        show_worksheet(tree, payments)
    return 0


@command(orders, "tree")
async def show_tree(at: Operator, order: Order, json: AsJson = False) -> int:
    """Shows what hangs below an order: supplier orders, their lines, their shipments, and what is in these."""
    tree = await _tree(at, order)
    if json:
        print_json(as_data(tree))
    else:
        put(out, drawn(tree))
    return 0


async def _tree(at: Operator, id: str) -> pb.GetOrderTreeResponse:
    request = pb.GetOrderTreeRequest(order_id=id)
    found: pb.GetOrderTreeResponse = await at.ask(lambda client: client.orders.GetOrderTree(request))
    return found


def _row(order: order_pb2.Order) -> list[str]:
    return [
        order.id,
        word(order_pb2.OrderStatus, order.status),
        order.from_party.id,
        order.from_user.id,
        str(order.line_item_count),
        text(order.total),
        age(order.create_time),
        age(order.submit_time),
    ]


def drawn(tree: pb.GetOrderTreeResponse) -> Tree:
    """Supplier orders below the order, their lines below them; the order's own lines where there are none."""
    order = tree.order
    top = Tree(Text(f"{order.id}  {word(order_pb2.OrderStatus, order.status)}  {text(order.total)}", style="bold"))
    for part in tree.supplier_orders:
        status = word(supplier_order_pb2.SupplierOrderStatus, part.status)
        branch = top.add(Text(f"{part.id}  {part.supplier_id or 'seller'}  {status}  {text(part.total)}"))
        for line in part.line_items:
            leaf = branch.add(Text(f"{line.line_item_id}  {line.quantity} x {line.product_id}  {text(line.subtotal)}"))
            for shipment, quantity in _shipped(tree, part.id, line.line_item_id):
                leaf.add(Text(f"{shipment.id}  {quantity} shipped  {shipment.carrier} {shipment.tracking_number}".rstrip()))
    for item in tree.line_items if not tree.supplier_orders else ():
        top.add(Text(f"{item.id}  {item.quantity} x {item.product_id}  {text(item.total)}"))
    return top


def _shipped(tree: pb.GetOrderTreeResponse, supplier_order: str, line: str) -> list[tuple[Any, int]]:
    """Shipments that hold units of the line, and how many."""
    return [
        (shipment, item.quantity)
        for shipment in tree.shipments
        for item in shipment.items
        if (item.supplier_order_id, item.line_item_id) == (supplier_order, line)
    ]
