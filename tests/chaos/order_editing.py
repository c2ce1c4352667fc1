"""Orders that are made, and edited while they are not submitted."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.chaos.shop import Life
from tests.support.order_model import Line, Order
from waybill.order.v1 import line_item_pb2, line_item_service_pb2, order_pb2, order_service_pb2

MAX_ORDERS = 3
PRODUCTS = st.sampled_from(["nail", "bolt", "lamp"])
QUANTITIES = st.integers(1, 7)
INDEX = st.integers(0, 1_000)


class EditingRules:
    """Rules of the machine about what is in an order."""

    life: Life
    model: Any
    run: Any
    order: Any
    fresh: Any

    @precondition(lambda self: len(self.model.orders) < MAX_ORDERS)
    @rule(items=st.lists(st.tuples(PRODUCTS, QUANTITIES), max_size=3), forwards=st.booleans())
    def create(self, items: list[tuple[str, int]], forwards: bool) -> None:
        order = Order(self.fresh("PO"), forwards)
        request = order_service_pb2.CreateOrderRequest(order=order_pb2.Order(id=order.id))
        for kind, quantity in items:
            id = f"l{len(order.lines) + 1}"
            order.lines[id] = Line(kind, quantity)
            request.line_items.add(id=id, product_id=self.life.product(kind), quantity=quantity)
        self.run(self.life.send(self.life.buyer(order).orders.CreateOrder, request))
        self.model.orders[order.id] = order

    @rule(index=INDEX, how=st.sampled_from(["add", "change", "remove"]), which=INDEX, kind=PRODUCTS, quantity=QUANTITIES)
    def change_lines(self, index: int, how: str, which: int, kind: str, quantity: int) -> None:
        if (order := self.unsubmitted_mostly(index)) is None:
            return
        old = sorted(order.lines)[which % len(order.lines)] if order.lines else ""
        if how == "add" or not old:
            id = self.fresh("l")
            added = line_item_pb2.LineItem(id=id, product_id=self.life.product(kind), quantity=quantity)
            if self.edit(order, "AddLineItems", line_item_service_pb2.AddLineItemsRequest(order_id=order.id, line_items=[added])):
                order.lines[id] = Line(kind, quantity)
        elif how == "change":
            line = line_item_pb2.LineItem(id=old, quantity=quantity)
            if self.edit(
                order, "UpdateLineItems", line_item_service_pb2.UpdateLineItemsRequest(order_id=order.id, line_items=[line])
            ):
                order.lines[old].quantity = quantity
        elif self.edit(
            order, "RemoveLineItems", line_item_service_pb2.RemoveLineItemsRequest(order_id=order.id, line_item_ids=[old])
        ):
            del order.lines[old]

    def unsubmitted_mostly(self, index: int) -> Order | None:
        """One of the orders; three times in four one that can still be edited."""
        return (self.order(index, "UNSUBMITTED") if index % 4 else None) or self.order(index)

    def edit(self, order: Order, method: str, request: Any) -> bool:
        """Whether it was an edit: only an order that is not submitted can be edited."""
        call = getattr(self.life.buyer(order).line_items, method)
        if order.status != "UNSUBMITTED":
            assert self.run(self.life.refused(call, request)) == "ORDER_STATUS_CONFLICT"
            return False
        self.run(self.life.send(call, request))
        order.edited()
        return True
