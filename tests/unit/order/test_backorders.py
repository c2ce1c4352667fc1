"""What a worksheet says of units that are not there yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from libs.auth import PartyKind
from libs.protoconv import time_out
from services.order.adapters.db.checkout.worksheet_rows import worksheet_json, worksheet_of
from services.order.application.checkout.worksheets import Sheet
from services.order.domain.checkout.backorders import LineBackorder, backorders
from services.order.domain.checkout.worksheet import Assignment
from services.order.rpc.checkout.convert_worksheet import worksheet_out
from tests.unit.order.builders import line, order
from tests.unit.order.test_worksheet_messages import reader
from tests.unit.order.test_worksheet_rows import SHEET

JUNE, JULY = datetime(2030, 6, 1, tzinfo=UTC), datetime(2030, 7, 1, tzinfo=UTC)
PLAN = (
    Assignment("l1", "anvil", 3, backordered=1, expected_time=JULY),
    Assignment("l2", "tongs", 9),
    Assignment("l3", "tape", 2, backordered=2),
    Assignment("l1", "anvil", 2, backordered=2, expected_time=JUNE),
    Assignment("l3", "tape", 4, backordered=1, expected_time=JUNE),
)
WAITING = replace(SHEET, plan=PLAN)


def test_a_line_waits_for_the_last_of_its_units_and_for_nobody_knows_when_one_is_unknown() -> None:
    assert backorders(PLAN) == [LineBackorder("l1", 3, JULY), LineBackorder("l3", 3, None)]


def test_what_is_stored_is_what_was_planned_and_a_plan_of_before_waits_for_nothing() -> None:
    assert worksheet_of(worksheet_json(WAITING)).plan == PLAN
    before = worksheet_json(WAITING)
    before["plan"] = [item[:7] for item in before["plan"]]
    assert backorders(worksheet_of(before).plan) == []


@pytest.mark.parametrize("kind", PartyKind)
def test_whoever_reads_the_worksheet_sees_what_waits(kind: PartyKind) -> None:
    shown = worksheet_out(Sheet(order(), (line(),), WAITING), reader(kind)).backorders
    assert [(b.line_item_id, b.quantity_backordered) for b in shown] == [("l1", 3), ("l3", 3)]
    assert (shown[0].expected_time, shown[1].HasField("expected_time")) == (time_out(JULY), False)
