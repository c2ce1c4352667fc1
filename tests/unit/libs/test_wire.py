"""How much memory a message would take, worked out from its bytes."""

from __future__ import annotations

import tracemalloc

import pytest

from libs.rpc.wire import MAX_ELEMENTS, TooMany, require_few
from waybill.catalog.v1 import product_service_pb2
from waybill.order.v1 import line_item_pb2, order_pb2, order_service_pb2

CREATE = order_service_pb2.CreateOrderRequest
LINES = CREATE.DESCRIPTOR.fields_by_name["line_items"].number
EMPTY_LINE = bytes([LINES << 3 | 2, 0])


def test_two_million_empty_lines_are_refused_for_less_than_the_message_itself() -> None:
    data = EMPTY_LINE * 2_000_000
    tracemalloc.start()
    with pytest.raises(TooMany):
        require_few(data, CREATE.FromString)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < len(data)


def test_elements_are_counted_on_every_level_and_in_structures() -> None:
    request = CREATE(line_items=[line_item_pb2.LineItem() for _ in range(2)])
    for line in request.line_items:
        line.xp.get_or_create_list("many").extend([1] * (MAX_ELEMENTS // 2))
    with pytest.raises(TooMany):
        require_few(request.SerializeToString(), CREATE.FromString)


def test_items_of_a_repeated_text_are_elements() -> None:
    request = product_service_pb2.BatchGetProductsRequest(product_ids=["x"] * (MAX_ELEMENTS + 1))
    with pytest.raises(TooMany):
        require_few(request.SerializeToString(), type(request).FromString)


def test_a_large_order_passes_and_a_text_is_never_taken_for_a_message() -> None:
    noise = order_pb2.Order(comments=(EMPTY_LINE * 1_000_000).decode("latin-1"))
    require_few(CREATE(order=noise).SerializeToString(), CREATE.FromString)
    lines = [line_item_pb2.LineItem(id=f"line-{n}", product_id="anvil" * 10, quantity=n) for n in range(5_000)]
    require_few(CREATE(line_items=lines).SerializeToString(), CREATE.FromString)


@pytest.mark.parametrize("tail", [b"\xff" * 12, b"\x0b", bytes([LINES << 3 | 2, 127])])
def test_bytes_that_are_no_message_are_not_measured_but_refused(tail: bytes) -> None:
    with pytest.raises(ValueError):
        require_few(EMPTY_LINE * 1_000 + b"\x00\x00" * 200_000 + tail, CREATE.FromString)
