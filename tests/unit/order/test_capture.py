"""What of an order has to be captured by now, and when payment is asked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.order.domain.fees import Fee
from services.order.domain.policy import Capture, Policy
from services.order.domain.progress.capture import captured_on_shipment, due_for_shipped, next_look
from tests.unit.order.builders import NOW, line, order


def test_an_order_is_captured_as_its_channel_said_when_it_was_submitted() -> None:
    policy = Policy(capture=Capture.ON_SHIPMENT)
    assert captured_on_shipment(replace(order(), policy=policy, is_submitted=True))
    assert not captured_on_shipment(replace(order(), policy=policy, is_submitted=False))
    assert not captured_on_shipment(replace(order(), policy=Policy(), is_submitted=True))


def test_what_stays_with_the_seller_is_due_with_the_first_unit_that_leaves_and_given_back_when_none_does() -> None:
    fees = (Fee("handling", "Handling", 300, tax=30), Fee("rush", "Rush", 40, tax=4))
    sold = replace(order(), subtotal=900, tax=134, gratuity=500, fees=fees, total=1_874)
    waits, left = line("l1"), replace(line("l2"), quantity_shipped=1)
    assert due_for_shipped(sold, [waits], [0, 0]) == 0
    assert due_for_shipped(sold, [waits, left], [0, 700, 20]) == 720 + 500 + 340 + 34
    assert due_for_shipped(sold, [left, left], [1_000, 0]) == sold.total
    assert sold.wholly_canceled.total == sold.total


def test_what_waits_for_a_person_is_asked_about_ever_more_rarely() -> None:
    waits = (0, 5, 60, 100_000)
    looks = [next_look(NOW - timedelta(seconds=seconds), NOW) - NOW for seconds in waits]
    assert [look.total_seconds() for look in looks] == [1, 5, 60, 300]
