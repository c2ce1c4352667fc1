"""What of an order waits for ForwardOrder."""

from __future__ import annotations

from dataclasses import replace

from services.order.domain.policy import AutoForward, Policy
from services.order.domain.status import OrderStatus
from services.order.domain.submission.forwarding import kept_back, may_be_unforwarded
from tests.unit.order.builders import NOW, line, order


def test_lines_are_kept_back_by_their_products_where_the_channel_forwards_by_product() -> None:
    lines = [line("l1"), line("l2")]
    lines[1] = replace(lines[1], product=replace(lines[1].product, auto_forward=False))
    kept = {by: kept_back(order(policy=Policy(auto_forward=by)), lines) for by in AutoForward}
    assert kept == {AutoForward.NONE: [], AutoForward.ALL: [], AutoForward.BY_PRODUCT: ["l2"]}


def test_an_open_order_that_is_forwarded_by_product_may_have_lines_left_to_forward() -> None:
    for by in AutoForward:
        mine = order(policy=Policy(auto_forward=by), status=OrderStatus.OPEN)
        assert may_be_unforwarded(mine)
        assert may_be_unforwarded(replace(mine, forward_time=NOW)) is (by is AutoForward.BY_PRODUCT)
        assert not may_be_unforwarded(replace(mine, forward_time=NOW, status=OrderStatus.COMPLETED))
