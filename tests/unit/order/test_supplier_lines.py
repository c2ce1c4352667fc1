"""Pages of a supplier order's lines, which are parts of its report."""

from __future__ import annotations

import pytest

from libs.errors import WaybillError
from libs.query.request import PageRequest
from services.order.rpc.reading.supplier_lines import page_of
from waybill.order.v1.line_item_pb2 import LineItem

LINES = [LineItem(id=f"l{n}") for n in range(7)]


def ids(**arguments) -> tuple[list[str], str, int | None]:
    page = page_of(LINES, PageRequest(**arguments))
    return [line.id for line in page.items], page.next_page_token, page.total_size


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pages_of_any_size_hold_every_line_once(size):
    found, token = [], ""
    for _ in LINES:
        page, token, _ = ids(page_size=size, page_token=token)
        found += page
        if not token:
            break

    assert found == [line.id for line in LINES]


def test_lines_are_skipped_from_the_start_or_from_the_token_and_counted_on_request():
    assert ids(skip=5) == (["l5", "l6"], "", None)
    assert ids(skip=1, page_size=1, include_total=True) == (["l1"], "l1", 7)
    assert ids(skip=2, page_token="l1", page_size=2) == (["l4", "l5"], "l5", None)
    assert ids(skip=9_000, include_total=True) == ([], "", 7)


def test_everything_that_such_a_list_cannot_do_is_reported_at_once():
    with pytest.raises(WaybillError) as refused:
        ids(page_size=-1, skip=10_001, page_token="nobody's", filter="quantity > 1", order_by="id")

    assert {violation.field: violation.reason for violation in refused.value.fields} == {
        "page_size": "VALUE_OUT_OF_RANGE",
        "skip": "VALUE_OUT_OF_RANGE",
        "filter": "FILTER_INVALID",
        "order_by": "ORDER_BY_INVALID",
        "page_token": "PAGE_TOKEN_INVALID",
    }
