"""How often a checkout calls other services and its databases, whatever the number of its lines."""

from __future__ import annotations

from collections import Counter

import pytest

from libs.rpc import counters
from tests.e2e.steps import promise, ready
from tests.support.marketplace import Marketplace, lines
from waybill.order.v1 import checkout_service_pb2 as pb
from waybill.order.v1 import order_pb2

CHECK = "/waybill.shipping.v1.ShippingService/CheckSelections"
MANY = {"anvil": 1, "tongs": 2, "lamp": 1, "crate": 3, "tape": 1, "tarp": 1}


@pytest.fixture
def sent() -> Counter[str]:
    """Calls between services from now on."""
    counters.sent.clear()
    return counters.sent


BESIDE = ("Report", "GetKeySet", "ListRevocations")
"""Calls that are made at any time, whatever is placed."""


async def test_a_submit_asks_shipping_once_for_all_its_estimates(idle_market: Marketplace, sent: Counter[str]) -> None:
    ada = idle_market.people.ada
    await ready(ada, "ASKED", promise(), **MANY)
    sent.clear()
    await ada.checkout.ValidateOrder(pb.ValidateOrderRequest(order_id="ASKED"))
    await ada.checkout.SubmitOrder(pb.SubmitOrderRequest(order_id="ASKED"))
    assert sent[CHECK] == 2
    assert [name for name in sent if "ShippingService" in name] == [CHECK]


async def test_placing_an_order_calls_other_services_ten_times_at_most(idle_market: Marketplace, sent: Counter[str]) -> None:
    for id, quantities in (("FEW", {"tape": 1}), ("MANY", MANY)):
        sent.clear()
        request = pb.PlaceOrderRequest(order=order_pb2.Order(id=id), line_items=lines(**quantities), payments=promise())
        await idle_market.people.ada.checkout.PlaceOrder(request)
        mine = {name: count for name, count in sent.items() if not any(other in name for other in BESIDE)}
        assert sum(mine.values()) <= 10, mine
        assert CHECK not in mine
