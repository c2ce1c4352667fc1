"""Holds of an order, as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from libs.errors import WaybillError
from services.order.domain.model import Order, OrderHold
from services.order.domain.progress.holds import MANUAL, MAX_HOLDS, PAYMENT, place, release, wants_hold
from services.order.domain.status import OrderStatus
from tests.unit.order.builders import NOW, order


def opened(*holds: OrderHold) -> Order:
    return replace(order(), status=OrderStatus.OPEN, holds=holds)


def hold(id: str = "h1", type: str = MANUAL, **values: str) -> OrderHold:
    return OrderHold(id, type, NOW, **values)


def test_an_order_is_held_until_its_last_hold_is_released() -> None:
    both, event = place(place(opened(), hold("h1"), "seller", NOW)[0], hold("h2", comment="two cards"), "seller", NOW)
    assert (both.held, event.type, event.data) == (True, "order_held", {"hold": "h2", "type": MANUAL, "comment": "two cards"})
    later = NOW + timedelta(hours=1)
    one, event = release(both, "h1", "sam", "seller", "he called", later)
    assert event is not None
    assert (one.held, event.type, event.data) == (True, "order_hold_released", {"hold": "h1", "comment": "he called"})
    assert one.holds[0] == replace(hold("h1"), release_time=later, release_user_id="sam", release_comment="he called")
    none, _ = release(one, "h2", "sam", "seller", "", later)
    assert (none.held, none.version) == (False, opened().version + 4)
    assert release(none, "h2", "sam", "seller", "again", later) == (none, None)


def test_only_an_open_order_is_held_and_people_have_a_limit() -> None:
    for status in OrderStatus:
        if status is not OrderStatus.OPEN:
            with pytest.raises(WaybillError) as refused:
                place(replace(opened(), status=status), hold(), "seller", NOW)
            assert refused.value.reason == "ORDER_STATUS_CONFLICT"
    full = opened(*(hold(f"h{n}") for n in range(MAX_HOLDS)))
    with pytest.raises(WaybillError) as refused:
        place(full, hold("more"), "seller", NOW)
    assert (refused.value.reason, refused.value.metadata) == ("TOO_MANY_HOLDS", {"order": full.id})
    held, event = place(full, hold("card", PAYMENT, payment_id="p1"), "", NOW)
    assert (len(held.holds), event.data["payment"]) == (MAX_HOLDS + 1, "p1")
    with pytest.raises(WaybillError) as unknown:
        release(full, "other", "sam", "seller", "", NOW)
    assert unknown.value.reason == "RESOURCE_NOT_FOUND"


def test_a_payment_asks_for_one_hold_while_the_order_is_open() -> None:
    assert wants_hold(opened(), "p1")
    held, _ = place(opened(), hold("h1", PAYMENT, payment_id="p1"), "", NOW)
    assert not wants_hold(held, "p1")
    assert wants_hold(held, "p2")
    freed, _ = release(held, "h1", "sam", "seller", "paid by cheque", NOW)
    assert not wants_hold(freed, "p1")
    assert not wants_hold(replace(opened(), status=OrderStatus.CANCELED), "p1")
