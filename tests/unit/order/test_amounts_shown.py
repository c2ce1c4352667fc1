"""Which sides of a supplier order its readers see, as the order service shows it."""

from __future__ import annotations

import uuid

from services.order.application.reading.read_orders import Found
from services.order.application.records import SupplierOrderView
from services.order.rpc.convert_out import any_lines, any_order, reported
from tests.support.amounts import amounts, priced
from tests.support.principals import buyer, seller, supplier
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder
from waybill.order.v1.line_item_pb2 import LineItem
from waybill.type.v1.address_pb2 import Address

REPORT = SupplierOrder(id="PO1-1", currency="USD", user_id="ada", client_id="shop", billing_address=Address(city="Austin"))
priced(REPORT)
SOLD = SupplierOrder.FromString(REPORT.SerializeToString())
"""The same without a cost side."""
for part in (SOLD, *SOLD.line_items):
    for field in ("unit_cost", "cost", "payable", "commission"):
        if field in part.DESCRIPTOR.fields_by_name:
            part.ClearField(field)  # type: ignore[arg-type]
SELLER, BOLT, BUYER = seller(), supplier(), buyer()


def view(report: SupplierOrder) -> SupplierOrderView:
    """As the report is kept."""
    return SupplierOrderView(
        uuid.UUID(int=1), "PO1-1", uuid.UUID(int=2), "bolt", "ours", "OPEN", "ACCEPTED", 1, 1, report.SerializeToString()
    )


def test_the_seller_sees_all_that_was_reported() -> None:
    assert reported(view(REPORT), SELLER) == REPORT
    order, (line,) = any_order(view(REPORT), SELLER), any_lines(Found(view(REPORT)), SELLER)
    assert (order.from_user.id, order.client_id, order.billing_address.city) == ("ada", "shop", "Austin")
    assert (order.total, order.cost, order.payable, order.commission) == (
        *(REPORT.total, REPORT.cost, REPORT.payable),
        REPORT.commission,
    )
    assert (line.unit_price, line.unit_cost) == (REPORT.line_items[0].unit_price, REPORT.line_items[0].unit_cost)


def test_a_supplier_without_costs_sees_every_amount_of_the_sell_side_and_not_who_bought() -> None:
    order, (line,) = any_order(view(SOLD), BOLT), any_lines(Found(view(SOLD)), BOLT)
    for name in ("subtotal", "discount", "shipping_cost", "tax", "included_tax", "total", "canceled"):
        assert getattr(order, name) == getattr(SOLD, name), name
    for name in ("unit_price", "subtotal", "discount", "tax", "included_tax"):
        assert getattr(line, name) == getattr(SOLD.line_items[0], name), name
    assert line.total == line.subtotal
    assert not order.HasField("from_user")
    assert not order.HasField("billing_address")
    assert order.client_id == ""


def test_a_supplier_with_costs_sees_them_and_no_other_amount() -> None:
    kept = view(REPORT)
    order, (line,) = any_order(kept, BOLT), any_lines(Found(kept), BOLT)
    assert {*amounts(order)} == {*amounts(REPORT.cost), *amounts(REPORT.payable)}
    assert {*amounts(line)} == {*amounts(REPORT.line_items[0].unit_cost), *amounts(REPORT.line_items[0].cost)}
    assert {*amounts(reported(kept, BOLT))} == {*amounts(order), *amounts(line)}


def test_a_buyer_sees_no_amount_and_all_else() -> None:
    kept = view(REPORT)
    assert list(amounts(reported(kept, BUYER))) == []
    order, (line,) = any_order(kept, BUYER), any_lines(Found(kept), BUYER)
    assert (list(amounts(order)), list(amounts(line))) == ([], [])
    assert (order.id, order.currency) == ("PO1-1", "USD")
    assert not any(line.HasField(f.name) for f in LineItem.DESCRIPTOR.fields if f.message_type == REPORT.total.DESCRIPTOR)
