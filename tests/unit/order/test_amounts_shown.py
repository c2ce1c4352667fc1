"""Which sides of a supplier order its readers see, as the order service shows it."""

from __future__ import annotations

import uuid

from services.order.application.ports import SupplierOrderView
from services.order.application.reading.read_orders import Found
from services.order.domain.reading.visibility import Side
from services.order.rpc.convert_out import any_lines, any_order, reported
from tests.support.amounts import amounts, priced
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder
from waybill.order.v1.line_item_pb2 import LineItem
from waybill.type.v1.address_pb2 import Address

REPORT = SupplierOrder(id="PO1-1", currency="USD", user_id="ada", client_id="shop", billing_address=Address(city="Austin"))
priced(REPORT)
VIEW = SupplierOrderView(
    uuid.UUID(int=1), "PO1-1", uuid.UUID(int=2), "bolt", "ours", "OPEN", "ACCEPTED", 1, 1, REPORT.SerializeToString()
)


def test_both_sides_are_all_that_was_reported() -> None:
    assert reported(VIEW, set(Side)) == REPORT
    order = any_order(VIEW, set(Side))
    assert (order.from_user.id, order.client_id, order.billing_address.city) == ("ada", "shop", "Austin")


def test_the_sell_side_is_every_amount_and_does_not_say_who_bought() -> None:
    order, (line,) = any_order(VIEW, {Side.SELL}), any_lines(Found(VIEW), {Side.SELL})
    for name in ("subtotal", "discount", "shipping_cost", "tax", "included_tax", "total", "canceled"):
        assert getattr(order, name) == getattr(REPORT, name), name
    for name in ("unit_price", "subtotal", "discount", "tax", "included_tax"):
        assert getattr(line, name) == getattr(REPORT.line_items[0], name), name
    assert line.total == line.subtotal
    assert not order.HasField("from_user")
    assert not order.HasField("billing_address")
    assert order.client_id == ""


def test_without_a_side_no_amount_is_left_and_all_else_is() -> None:
    assert list(amounts(reported(VIEW, set()))) == []
    order, (line,) = any_order(VIEW, set()), any_lines(Found(VIEW), set())
    assert (list(amounts(order)), list(amounts(line))) == ([], [])
    assert (order.id, order.currency) == ("PO1-1", "USD")
    assert not any(line.HasField(f.name) for f in LineItem.DESCRIPTOR.fields if f.message_type == REPORT.total.DESCRIPTOR)
