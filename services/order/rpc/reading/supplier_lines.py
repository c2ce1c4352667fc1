"""Pages of a supplier order's lines: they are one report, so that a page is a part of it."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import Violations
from libs.query.request import DEFAULT_PAGE, MAX_PAGE, MAX_SKIP, Page, PageRequest
from waybill.order.v1 import reasons
from waybill.order.v1.line_item_pb2 import LineItem


def page_of(lines: Sequence[LineItem], query: PageRequest) -> Page[LineItem]:
    """A page of the lines, in the order of the report; the token is the id of the last one.

    Raises with all violations: VALUE_OUT_OF_RANGE, PAGE_TOKEN_INVALID, and FILTER_INVALID or ORDER_BY_INVALID for whatever is
    given there.
    """
    found = Violations()
    found.require("page_size", query.page_size >= 0, reasons.VALUE_OUT_OF_RANGE, "must be zero or more")
    found.require("skip", 0 <= query.skip <= MAX_SKIP, reasons.VALUE_OUT_OF_RANGE, f"must be 0 to {MAX_SKIP:,}")
    found.require("filter", not query.filter.strip(), reasons.FILTER_INVALID, "the lines of a supplier order are not filtered")
    found.require("order_by", not query.order_by.strip(), reasons.ORDER_BY_INVALID, "lines of a supplier order have one order")
    places = {line.id: place for place, line in enumerate(lines, 1)}
    known = not query.page_token or query.page_token in places
    found.require("page_token", known, reasons.PAGE_TOKEN_INVALID, "the page token belongs to other arguments or is none of ours")
    found.raise_if_any()
    start = places.get(query.page_token, 0) + query.skip
    end = start + min(query.page_size or DEFAULT_PAGE, MAX_PAGE)
    kept = lines[start:end]
    token = kept[-1].id if kept and end < len(lines) else ""
    return Page(kept, token, len(lines) if query.include_total else None)
