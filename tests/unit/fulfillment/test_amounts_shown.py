"""Which sides of a supplier order its readers see."""

from __future__ import annotations

from dataclasses import replace

from services.fulfillment.contract.reports import supplier_order_out, supplier_order_shown
from services.fulfillment.domain.supplier_orders.supplier_order import SelectionItem, ShipSelection, SupplierOrder
from services.fulfillment.domain.visibility import Side
from tests.support.amounts import amounts, holds_amounts
from tests.unit.fulfillment import builders
from tests.unit.fulfillment.builders import NOW
from waybill.fulfillment.v1.supplier_order_pb2 import SupplierOrder as Message


def placed() -> SupplierOrder:
    """A supplier order with an amount in every place."""
    chosen = ShipSelection("est", "ground", "Ground", "swift", 3_000_000, 300_000, False, (SelectionItem("l1", 2, "bolt"),))
    order = builders.snapshot(builders.order_line("l1", 2, discount=1_000_000, tax=500_000), shipping=(chosen,))
    (made,) = builders.confirmed(order, builders.taken("l1", 2, "bolt")).created
    return made


def test_both_sides_are_all_that_is_reported() -> None:
    order = placed()
    assert supplier_order_shown(order, set(Side)) == supplier_order_out(order)
    assert len({*amounts(supplier_order_out(order))}) > 4


def test_without_the_sell_side_no_amount_is_left_and_all_else_is() -> None:
    whole, bare = supplier_order_out(placed()), supplier_order_shown(placed(), {Side.BUYER})
    assert list(amounts(bare)) == []
    for name in (f.name for f in Message.DESCRIPTOR.fields if f.message_type is None or not holds_amounts(f.message_type)):
        assert getattr(bare, name) == getattr(whole, name), name
    assert [(i.line_item_id, i.quantity) for i in bare.line_items] == [("l1", 2)]
    assert [s.ship_method_name for s in bare.ship_selections] == ["Ground"]


def test_without_the_buyers_side_nothing_says_who_bought_and_all_else_is_left() -> None:
    order = placed()
    said = replace(order.lines[0], cost_center="CC-7", shipping_account="SWIFT-1", comments="by the back door", date_needed=NOW)
    order = replace(order, billing_address={"lines": ["1 Main St"]}, lines=(said,))
    whole, bare = supplier_order_out(order), supplier_order_shown(order, {Side.SELL})
    gone = {f.name for f, _ in whole.ListFields()} - {f.name for f, _ in bare.ListFields()}
    assert gone == {"user_id", "client_id", "billing_address"}
    for name in gone:
        whole.ClearField(name)  # type: ignore[arg-type]
    whole.line_items[0].cost_center = ""
    assert bare == whole
