"""How orders are shown: tables fit a terminal, and in a pipe a row is one line with every value whole."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from services.host.operate import orders, worksheet
from services.host.remote import showing
from services.host.tables import put
from waybill.fulfillment.v1 import shipment_pb2, supplier_order_pb2
from waybill.order.v1 import line_item_pb2, order_pb2
from waybill.order.v1 import order_service_pb2 as pb
from waybill.payment.v1 import payment_pb2
from waybill_client import money

NAME = "A very long name [bold] of a product :anchor: with a\nline break in it, and more than fits any terminal " * 3


def tree() -> pb.GetOrderTreeResponse:
    usd = money("189.00", "USD")
    part = supplier_order_pb2.SupplierOrder(id="PO1-1", supplier_id="forge", total=usd)
    part.status = supplier_order_pb2.SUPPLIER_ORDER_STATUS_ACCEPTED
    part.line_items.add(line_item_id="l1", product_id="anvil", quantity=3, subtotal=usd)
    shipment = shipment_pb2.Shipment(id="S1", supplier_id="forge", carrier="swift", tracking_number="T-1")
    shipment.items.add(supplier_order_id="PO1-1", line_item_id="l1", quantity=2)
    line = line_item_pb2.LineItem(id="l1", product_id="anvil", quantity=3, quantity_shipped=2, total=usd)
    line.product.name = NAME
    order = order_pb2.Order(id="PO1", status=order_pb2.ORDER_STATUS_OPEN, total=usd, comments="two\nlines")
    return pb.GetOrderTreeResponse(order=order, line_items=[line], supplier_orders=[part], shipments=[shipment])


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    console = Console(file=written, width=80)
    for module in (orders, showing, worksheet):
        monkeypatch.setattr(module, "out", console)
    return written


def test_a_worksheet_names_all_that_belongs_to_an_order(pipe: io.StringIO) -> None:
    payment = payment_pb2.Payment(id="pay", type="credit_card", amount=money("189.00", "USD"))
    payment.state = payment_pb2.PAYMENT_STATE_CONFIRMED
    worksheet.show_worksheet(tree(), [payment])
    lines = pipe.getvalue().splitlines()
    (line,) = [line for line in lines if line.startswith("l1 ")]
    assert " ".join(NAME.split()) in line
    assert [word for word in line.rsplit("terminal", 1)[1].split() if word.isdigit()][:3] == ["3", "2", "0"]
    assert any(line.split() == ["comments", "two", "lines"] for line in lines)
    assert any(line.split()[:3] == ["pay", "credit_card", "CONFIRMED"] for line in lines)
    assert any(line.split()[:3] == ["PO1-1", "forge", "ACCEPTED"] for line in lines)
    assert any(line.split()[:4] == ["S1", "forge", "swift", "T-1"] for line in lines)


def test_what_an_order_lacks_has_no_table(pipe: io.StringIO) -> None:
    worksheet.show_worksheet(pb.GetOrderTreeResponse(order=order_pb2.Order(id="PO1")), [])
    assert "payments" not in pipe.getvalue()
    assert "shipments" not in pipe.getvalue()


def test_a_tree_goes_from_order_to_shipment() -> None:
    written = io.StringIO()
    put(Console(file=written), orders.drawn(tree()))
    drawn = [line.lstrip("│├└─ ") for line in written.getvalue().splitlines()]
    assert [line.split("  ")[0] for line in drawn] == ["PO1", "PO1-1", "l1", "S1"]
    assert "2 shipped  swift T-1" in drawn[-1]


def test_without_supplier_orders_the_tree_shows_the_lines() -> None:
    whole = tree()
    del whole.supplier_orders[:]
    written = io.StringIO()
    put(Console(file=written), orders.drawn(whole))
    assert "l1  3 x anvil" in written.getvalue()


def test_a_table_fits_a_terminal() -> None:
    written = io.StringIO()
    terminal = Console(file=written, width=60, force_terminal=True, color_system=None)
    put(terminal, showing.table({"name": "", "value": ""}, [[NAME, NAME]]))
    assert max(len(line) for line in written.getvalue().splitlines()) <= 60
