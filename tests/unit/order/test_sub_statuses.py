"""Sub-statuses of orders, as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.auth import PartyKind
from libs.errors import WaybillError
from services.order.domain.history import changed
from services.order.domain.model import Order
from services.order.domain.status import OrderStatus
from services.order.domain.sub_statuses import SubStatus, require_enterable, require_settable
from tests.unit.order.builders import NOW, order

LATER = NOW + timedelta(hours=1)
OPEN = OrderStatus.OPEN
DECLARED = {
    one.id: one
    for one in (
        SubStatus("any", OPEN),
        SubStatus("first", OPEN, follows_none=True),
        SubStatus("after-any", OPEN, follows=frozenset({"any"})),
        SubStatus("end", OPEN, terminal=True),
        SubStatus("closed", OPEN, closed=True),
        SubStatus("elsewhere", OrderStatus.COMPLETED),
    )
}
MAY = {
    "": {"any", "first", "end"},
    "any": {"any", "after-any", "end"},
    "first": {"any", "end"},
    "after-any": {"any", "end"},
    "end": set[str](),
    "closed": {"any", "end"},
}
"""By the sub-status that an open order is in, those that it may enter."""


def of(status: OrderStatus, sub_status: str = "", **fields: Any) -> Order:
    time = NOW if sub_status else None
    return order(status=status, status_before=status, sub_status=sub_status, sub_status_time=time, **fields)


def enters(at: Order, id: str) -> bool:
    try:
        require_enterable(at, DECLARED[id], DECLARED)
    except WaybillError as error:
        assert error.reason == "SUB_STATUS_CONFLICT"
        assert error.metadata["present"] == at.sub_status
        return False
    return True


@pytest.mark.parametrize("present", MAY)
def test_an_open_order_enters_what_may_follow(present: str) -> None:
    assert {id for id in DECLARED if enters(of(OPEN, present), id)} == MAY[present]


@pytest.mark.parametrize("status", OrderStatus)
def test_only_a_sub_status_of_the_orders_status_is_entered(status: OrderStatus) -> None:
    assert enters(of(status), "any") == (status is OPEN)
    assert enters(of(status), "elsewhere") == (status is OrderStatus.COMPLETED)


@pytest.mark.parametrize("before", OrderStatus)
@pytest.mark.parametrize("after", OrderStatus)
def test_a_change_of_status_leaves_the_sub_status_for_the_initial_one_or_for_none(
    before: OrderStatus, after: OrderStatus
) -> None:
    initial = {OPEN: "any"}
    moved = replace(of(before, "mine", initial_sub_statuses=initial), status=after)
    made, event = changed(moved, "order_changed", "ada", "acme", LATER, data={"note": "n"})
    if before is after:
        assert (made.sub_status, made.sub_status_time, event.data) == ("mine", NOW, {"note": "n"})
        return
    new = initial.get(after, "")
    assert (made.sub_status, made.sub_status_time) == (new, LATER if new else None)
    assert event.data == {"note": "n", "sub_status": new, "former_sub_status": "mine"}
    again, then = changed(made, "order_changed", "ada", "acme", LATER + timedelta(hours=1))
    assert (again.sub_status, again.sub_status_time, then.data) == (made.sub_status, made.sub_status_time, {})


def test_an_event_says_nothing_of_sub_statuses_where_there_are_none() -> None:
    _, event = changed(replace(of(OPEN), status=OrderStatus.COMPLETED), "order_completed", "", "", LATER)
    assert event.data == {}


@pytest.mark.parametrize(
    ("party", "roles", "may"),
    [
        (PartyKind.SELLER, {"OrderAdmin"}, True),
        (PartyKind.SELLER, {"OrderReader"}, False),
        (PartyKind.SELLER, {"FullAccess"}, True),
        (PartyKind.BUYER, {"OrderAdmin"}, False),
    ],
)
def test_party_and_one_of_the_roles_are_needed(party: PartyKind, roles: set[str], may: bool) -> None:
    target = SubStatus("checked", OPEN, roles=frozenset({"OrderAdmin", "Shopper"}))
    if may:
        require_settable(of(OPEN), target, party, roles, "FullAccess" in roles)
        return
    with pytest.raises(WaybillError) as error:
        require_settable(of(OPEN), target, party, roles, "FullAccess" in roles)
    assert error.value.reason == "SUB_STATUS_NOT_ALLOWED"


def test_without_roles_those_of_the_call_suffice() -> None:
    target = SubStatus("called", OPEN, parties=frozenset({PartyKind.BUYER}))
    require_settable(of(OPEN), target, PartyKind.BUYER, {"Shopper"}, False)
