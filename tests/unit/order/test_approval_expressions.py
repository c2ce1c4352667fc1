"""What approval rules see of an order, and which of them hold for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from libs.errors import Violations
from services.order.contract.approval_expressions import approval_order, check_expression, expression_of, matches
from services.order.domain.approval.rounds import Match, begin
from services.order.domain.approval.rules import ApprovalRule
from services.order.domain.choice import Choice
from tests.unit.order.builders import NOW, line, order
from waybill.order.v1 import approval_expression_pb2 as pb

UNIT = 1_000_000
LINES = (
    line("l1", 3, unit_price=20 * UNIT, subtotal=60 * UNIT, tax=3 * UNIT, cost_center="lab", xp={"ok": True}),
    line(
        "l2", 1, unit_price=40 * UNIT, subtotal=40 * UNIT, unit_price_override=40 * UNIT, choices=(Choice("size", "Size", "xl"),)
    ),
)
ORDER = order(
    subtotal=100 * UNIT,
    discount=5 * UNIT,
    shipping_cost=7 * UNIT,
    tax=3 * UNIT,
    total=105 * UNIT,
    line_item_count=2,
    shipping_address={"city": "Springfield", "country": "US"},
    xp={"project": "moon", "number": 7},
)
SEEN = approval_order(ORDER, LINES, {"staff", "lab"}, NOW)


def held(*expressions: str, seen: pb.ApprovalOrder = SEEN, approved: frozenset[str] = frozenset()) -> list[Match]:
    rules = [ApprovalRule(f"r{n}", f"g{n}", expression) for n, expression in enumerate(expressions)]
    return list(matches(rules, seen)(approved))


@pytest.mark.parametrize(
    "expression",
    [
        "order.total > money('104.99') && order.total < money('105.01')",
        "order.total == order.subtotal - order.discount + order.shipping_cost + order.tax",
        "total(order.items) == money('100') && quantity(order.items) == 4 && order.line_item_count == 2",
        "order.buyer_id == 'acme' && order.user_id == 'ada' && order.client_id == 'shop' && order.currency == 'USD'",
        "'lab' in order.user_group_ids && !('heads' in order.user_group_ids)",
        "order.items.exists(i, i.cost_center == 'lab' && i.unit_price * i.quantity == money('60'))",
        "order.items.exists_one(i, i.price_overridden)",
        "order.items.exists(i, i.specs['size'] == 'xl')",
        "order.items.all(i, i.product_id == 'anvil' && i.product_name == 'Anvil')",
        "order.xp.project == 'moon' && order.xp.number == 7",
        "order.shipping_address.country == 'US' && order.billing_address.country == ''",
        "order.submit_time == now",
    ],
)
def test_every_part_of_an_order_is_seen(expression: str) -> None:
    assert held(expression) == [Match("r0", "g0")]
    assert held(f"!({expression})") == []


def test_every_field_that_is_filled_is_read_from_the_order() -> None:
    full = replace(ORDER, gratuity=1, included_tax=2, comments="now", billing_address={"city": "Salem"}, fees=())
    seen = approval_order(
        full, [replace(LINES[0], variant_id="red", comments="x", discount=1, shipping_address={"city": "Salem"})], {"a"}, NOW
    )
    left_out = {f.name for f in seen.DESCRIPTOR.fields} - {f.name for f, _ in seen.ListFields()}
    assert left_out == {"approved_rule_ids", "fee_total"}
    assert {f.name for f in seen.items[0].DESCRIPTOR.fields} - {f.name for f, _ in seen.items[0].ListFields()} == {
        "price_overridden",
        "supplier_id",
        "tax_class",
        "specs",
    }


def test_a_rule_that_cannot_be_worked_out_holds_and_says_why() -> None:
    (found,) = held("order.xp.limit > 5")
    assert (found.rule_id, "limit" in found.error) == ("r0", True)
    (number,) = held("order.xp.project > 5")
    assert number.error
    (unread,) = held("order.no_more_there > 5")
    assert "no_more_there" in unread.error
    many = pb.ApprovalOrder(items=[pb.ApprovalItem(quantity=1)] * 5_000)
    (large,) = held("order.items.all(i, i.quantity > 0) && order.items.all(i, i.quantity < 5)", seen=many)
    assert large.error


def test_rules_ask_what_is_approved_in_the_round_and_not_what_the_order_says() -> None:
    said = pb.ApprovalOrder(approved_rule_ids=["r0"])
    assert [m.rule_id for m in held("true", "approved('r0')", seen=said)] == ["r0"]
    assert [m.rule_id for m in held("true", "approved('r0')", seen=said, approved=frozenset({"r0"}))] == ["r0", "r1"]
    assert list(said.approved_rule_ids) == ["r0"]


def test_a_round_goes_through_its_rules_one_after_another() -> None:
    rules = [
        ApprovalRule("heads", "heads", "order.total > money('100')"),
        ApprovalRule("money", "money", "approved('heads') && order.total > money('104')"),
        ApprovalRule("never", "board", "order.total > money('1000')"),
    ]
    round = begin(1, "ada", {"heads"}, matches(rules, SEEN), NOW)
    assert [(a.rule_id, a.status.value) for a in round.approvals] == [("heads", "APPROVED"), ("money", "PENDING")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("order.total >", "EXPRESSION_SYNTAX_INVALID"),
        ("order.status == 1", "EXPRESSION_NAME_UNKNOWN"),
        ("item.quantity > 1", "EXPRESSION_NAME_UNKNOWN"),
        ("order.total", "EXPRESSION_TYPE_MISMATCH"),
        ("approved(order.id)", "EXPRESSION_TYPE_MISMATCH"),
        ("approved(1)", "EXPRESSION_TYPE_MISMATCH"),
        ("order.total > 1.5", "EXPRESSION_NOT_ALLOWED"),
        ("&&".join(["order.items.exists(i, i.quantity > 1)"] * 5), "EXPRESSION_TOO_LARGE"),
    ],
)
def test_what_is_no_condition_about_an_order_is_not_saved(text: str, reason: str) -> None:
    found = Violations()
    check_expression(found, "it", text)
    assert {(v.field, v.reason) for v in found.items} == {("it", reason)}


def test_only_what_reads_the_groups_of_the_user_needs_them() -> None:
    assert "order.user_group_ids" in expression_of("'lab' in order.user_group_ids").names
    assert "order.user_group_ids" not in expression_of("order.total > 5 && approved('lab')").names
