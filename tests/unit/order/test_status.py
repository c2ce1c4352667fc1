"""Every status meets every trigger: the table, and nothing else, decides."""

import pytest

from libs.errors import WaybillError
from services.order.domain.status import TRANSITIONS, OrderStatus, Trigger, move

S, T = OrderStatus, Trigger
EXPECTED = {
    (S.UNSUBMITTED, T.EDIT): S.UNSUBMITTED,
    (S.UNSUBMITTED, T.SUBMIT): S.OPEN,
    (S.UNSUBMITTED, T.SUBMIT_FOR_APPROVAL): S.AWAITING_APPROVAL,
    (S.AWAITING_APPROVAL, T.APPROVE): S.OPEN,
    (S.AWAITING_APPROVAL, T.DECLINE): S.DECLINED,
    (S.AWAITING_APPROVAL, T.DECLINE_FOR_RESUBMIT): S.UNSUBMITTED,
    (S.AWAITING_APPROVAL, T.RECALL): S.UNSUBMITTED,
    (S.OPEN, T.FORWARD): S.OPEN,
    (S.OPEN, T.COMPLETE): S.COMPLETED,
    (S.COMPLETED, T.COMPLETE): S.COMPLETED,
    (S.COMPLETED, T.REOPEN): S.OPEN,
    (S.UNSUBMITTED, T.CANCEL): S.CANCELED,
    (S.UNSUBMITTED, T.DELETE): S.UNSUBMITTED,
    (S.AWAITING_APPROVAL, T.CANCEL): S.CANCELED,
    (S.DECLINED, T.CANCEL): S.CANCELED,
    (S.OPEN, T.CANCEL): S.CANCELED,
    (S.OPEN, T.HOLD): S.OPEN,
    (S.OPEN, T.CHANGE): S.OPEN,
}


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("trigger", [t for t in Trigger if t is not Trigger.MARK])
def test_each_status_takes_exactly_the_triggers_of_the_table(status: OrderStatus, trigger: Trigger) -> None:
    target = EXPECTED.get((status, trigger))
    if target is None:
        with pytest.raises(WaybillError) as refused:
            move("PO1", status, trigger)
        assert refused.value.reason == "ORDER_STATUS_CONFLICT"
        assert refused.value.metadata == {"order": "PO1", "status": status.value}
    else:
        assert move("PO1", status, trigger) is target


@pytest.mark.parametrize("status", OrderStatus)
def test_marks_are_taken_in_every_status(status: OrderStatus) -> None:
    assert move("PO1", status, Trigger.MARK) is status


def test_every_status_is_reachable_and_canceled_has_no_way_out() -> None:
    reached = {OrderStatus.UNSUBMITTED}
    while True:
        more = {target for (source, _), target in TRANSITIONS.items() if source in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(OrderStatus)
    ways_out = {target for (source, _), target in TRANSITIONS.items() if source is OrderStatus.CANCELED}
    assert ways_out == {OrderStatus.CANCELED}
