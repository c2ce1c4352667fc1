"""Expressions: what is refused when one is saved, and what one comes to when it runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google.type.money_pb2 import Money

from libs.expr import BOOL, TEXT, Environment, Faults, Function, Place, Result, RunError, RunReason, run_many
from libs.expr.faults import Reason
from tests.expressions.messages import LINES, ORDERS, Now, Order, bound, item, order, xp
from waybill.order.v1.order_pb2 import Order as OrderMessage


def faults(text: str, result: Result = Result.CONDITION, environment: Environment = ORDERS) -> list[tuple[str, int]]:
    """The reason and the column of each fault."""
    with pytest.raises(Faults) as refused:
        environment.check(text, result)
    assert all(fault.sentence.endswith(".") for fault in refused.value.faults)
    return [(fault.reason.value, fault.place.column) for fault in refused.value.faults]


def run(text: str, whole: Any = None, result: Result = Result.CONDITION) -> Any:
    """What it comes to; the reason where there is no value."""
    value = ORDERS.check(text, result).run(bound(whole or order()))
    return value.reason or value.value


def run_sentence(text: str, whole: Any) -> str:
    """Why there is no value."""
    return ORDERS.check(text, Result.CONDITION).run(bound(whole)).error


REFUSED = {
    "order.subtotl > 1": ("UNKNOWN_NAME", 7),
    "basket.subtotal > 1": ("UNKNOWN_NAME", 1),
    "order.approved()": ("UNKNOWN_NAME", 1),
    "whoever()": ("UNKNOWN_NAME", 1),
    "order.items.exists(i, i.color == 'a')": ("UNKNOWN_NAME", 25),
    "": ("SYNTAX", 1),
    "order.subtotal >": ("SYNTAX", 17),
    "order.subtotal > 1 1": ("SYNTAX", 20),
    "(true": ("SYNTAX", 6),
    "'never": ("SYNTAX", 1),
    "'\\q' == 'q'": ("SYNTAX", 2),
    "order.in == 1": ("SYNTAX", 7),
    "while > 1": ("SYNTAX", 1),
    "9223372036854775808 > 1": ("SYNTAX", 1),
    "true # false": ("SYNTAX", 6),
    "has(order)": ("SYNTAX", 1),
    "order.items.exists(1, true)": ("SYNTAX", 1),
    "1.5 > 1": ("NOT_ALLOWED", 1),
    "1u > 1": ("NOT_ALLOWED", 1),
    "r'a' == 'a'": ("NOT_ALLOWED", 1),
    "{'a': 1}.a == 1": ("NOT_ALLOWED", 1),
    "order.id.matches('.*')": ("NOT_ALLOWED", 1),
    "double(order.subtotal) > 1": ("NOT_ALLOWED", 1),
    "dyn(1) == 'a'": ("NOT_ALLOWED", 1),
    "order.items.map(i, i.id).size() == 1": ("NOT_ALLOWED", 1),
    "order.id + 'a' == 'b'": ("NOT_ALLOWED", 1),
    "(order.items + order.items).size() > 1": ("NOT_ALLOWED", 1),
    "order.items.exists(order, true)": ("NOT_ALLOWED", 20),
    "order.subtotal": ("TYPE", 1),
    "order.subtotal > 'a'": ("TYPE", 1),
    "order.weight > 1": ("TYPE", 7),
    "order.items == order.items": ("TYPE", 1),
    "order.user == order.user": ("TYPE", 1),
    "order.xp.a": ("TYPE", 1),
    "order.xp.a && true": ("TYPE", 1),
    "order.xp.a + 1 > 2": ("TYPE", 1),
    "order.xp.a > now": ("TYPE", 1),
    "money(order.id) > 1": ("TYPE", 7),
    "money('1.1234567') > 1": ("TYPE", 7),
    "money('1e3') > 1": ("TYPE", 7),
    "percent(order.subtotal, '-1') > 1": ("TYPE", 25),
    "timestamp('2026-02-30T00:00:00Z') < now": ("TYPE", 11),
    "duration('1 day') < duration('1h')": ("TYPE", 10),
    "duration('999999999h') < duration('1h')": ("TYPE", 10),
    "round(order.subtotal, order.subtotal) > 1": ("TYPE", 23),
    "min(1) > 1": ("TYPE", 1),
    "max(1, 'a') > 1": ("TYPE", 8),
    "total(order.user_group_ids) > 1": ("TYPE", 7),
    "approved(order.id)": ("TYPE", 10),
    "approved(1)": ("TYPE", 10),
    "true ? 1 : 'a'": ("TYPE", 12),
    "['a', 1].size() == 2": ("TYPE", 1),
    "[].size() == 0": ("TYPE", 1),
    "1 in 'abc'": ("TYPE", 1),
    "order.items.exists(i, order.items.exists(j, true))": ("TOO_COSTLY", 23),
    "order.items.exists(i, total(order.items) > 1)": ("TOO_COSTLY", 23),
    "order.items.filter(i, true).filter(i, true).filter(i, true).filter(i, true).size() > 1": ("TOO_COSTLY", 1),
    "(" * 60 + "true" + ")" * 60: ("TOO_COSTLY", 41),
    "order" + ".xp" * 60 + " == 1": ("TOO_COSTLY", 1),
    "true " + "|| true " * 50: ("TOO_LONG", 401),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_has_its_reason_and_its_column(text: str) -> None:
    assert faults(text) == [REFUSED[text]]


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_text() -> None:
    assert faults("order.a > 1 && nobody == 2 || order.id > 3") == [("UNKNOWN_NAME", 7), ("UNKNOWN_NAME", 16), ("TYPE", 31)]


def test_an_answer_has_room_for_the_faults_of_many_expressions() -> None:
    assert len(faults(" || ".join(["z"] * 60))) == 10
    with pytest.raises(Faults) as refused:
        Environment({"order": OrderMessage}).check("order.nothing == 1", Result.CONDITION)
    assert "and 2" in str(refused.value)
    missing = run_sentence("order.xp[order.id] == 1", order(id="x" * 100))
    assert missing == f"There is no '{'x' * 60}'."


def test_the_place_of_a_fault_counts_lines() -> None:
    with pytest.raises(Faults) as refused:
        ORDERS.check("order.guest\n  && order.nothing == 1", Result.CONDITION)
    assert refused.value.faults[0].place == Place(2, 12)
    assert "it has id, currency" in str(refused.value)


def test_a_condition_is_no_amount_and_an_amount_is_no_condition() -> None:
    assert faults("true", Result.AMOUNT) == [("TYPE", 1)]
    assert faults("1", Result.CONDITION) == [("TYPE", 1)]


RESULTS = {
    "7 / 2 == 3 && -7 / 2 == -3 && 7 % -2 == 1 && -7 % 2 == -1": True,
    "1 + 2 * 3 - 4 == 3 && (1 + 2) * 3 == 9 && - - 1 == 1": True,
    "0x10 == 16 && -9223372036854775808 < 0": True,
    "9223372036854775807 + order.items.size() + 1 > 0": RunReason.FAILED,
    "1 / order.items.size() == 1": RunReason.FAILED,
    "1 / order.items.size() == 1 || true": True,
    "1 / order.items.size() == 1 && false": False,
    "1 / order.items.size() == 1 ? true : true": RunReason.FAILED,
    "order.xp.n == 3 && order.xp.n < 4 && order.xp.n != 2": True,
    "order.xp.n == 'three'": False,
    "order.xp.n < 'three'": RunReason.FAILED,
    "order.xp.no == 3": RunReason.FAILED,
    "order.xp.none == null && has(order.xp.none) && !has(order.xp.no)": True,
    "order.xp.yes == true && order.xp.yes != 1": True,
    "order.xp.list == order.xp.list": RunReason.FAILED,
    "order.xp.list[1] == 2 && order.xp.list.size() == 2": True,
    "order.xp.list[2] == 2": RunReason.FAILED,
    "order.xp.n.deep == 2": RunReason.FAILED,
    "order.xp.n.startsWith('3')": RunReason.FAILED,
    "order.xp.text.startsWith('a') && order.xp.text.endsWith('c') && order.xp.text.contains('b')": True,
    "2 in order.xp.list && !('2' in order.xp.list) && 'n' in order.xp": True,
    "order.xp.list.all(n, n > 0) && order.xp.list.exists_one(n, n == 1)": True,
    "order.labels.a == 'b' && 'a' in order.labels && has(order.labels.a) && !has(order.labels.z)": True,
    "order.labels.z == 'b'": RunReason.FAILED,
    "order.items.all(i, false) && !order.items.exists(i, true)": True,
    "order.user.email == '' && !has(order.user) && !has(order.user.email)": True,
    "size('\\u00e9\\U0001F600') == 2": True,
    "order.create_time + duration('1h') > order.create_time && now - order.create_time == duration('0s')": True,
    "now.getFullYear() == 2027 && now.getMonth() == 0 && now.getDate() == 15 && now.getDayOfWeek() == 5": True,
    "now.getHours() == 8 && now.getMinutes() == 0": True,
    "timestamp('2027-01-15T09:00:00+01:00') == timestamp('2027-01-15T08:00:00.000Z')": True,
    "timestamp('9999-12-31T23:00:00Z') + duration('2h') > now": RunReason.FAILED,
    "approved('budget') && !approved('other')": True,
}


@pytest.mark.parametrize("text", RESULTS)
def test_an_expression_comes_to_a_value_or_to_an_error(text: str) -> None:
    data = xp(n=3, none=None, yes=True, list=[1, 2], text="abc")
    assert run(text, order(xp=data, labels={"a": "b"})) is RESULTS[text]


def test_a_message_of_a_contract_is_read_money_in_micros_and_enums_by_name() -> None:
    environment = Environment({"order": OrderMessage})
    message = OrderMessage(id="PO1", subtotal=Money(currency_code="USD", units=12, nanos=500_000_000), status="ORDER_STATUS_OPEN")
    expression = environment.check(
        "order.subtotal == money('12.50') && order.status == ORDER_STATUS_OPEN && order.tax == 0", Result.CONDITION
    )
    assert expression.run({"order": message}).value is True
    message.subtotal.units = 2**62
    assert expression.run({"order": message}).reason is RunReason.FAILED


def test_it_says_which_fields_it_reads_what_it_costs_and_whether_it_needs_the_line() -> None:
    expression = ORDERS.check("total(order.items.filter(i, i.product.xp.color == 'red')) > order.subtotal", Result.CONDITION)
    assert expression.names == {"order.items.subtotal", "order.items.product.xp.color", "order.subtotal"}
    assert expression.cost.each > 0
    assert expression.cost.steps(10) == expression.cost.once + 10 * expression.cost.each
    assert not expression.reads_line
    assert LINES.check("item.quantity > 2", Result.CONDITION).reads_line
    assert not LINES.check("order.guest", Result.CONDITION).reads_line


def test_an_expression_for_a_line_goes_through_the_lists_of_the_line_only() -> None:
    assert faults("item.quantity > 1 && order.items.exists(i, true)", environment=LINES) == [("TOO_COSTLY", 22)]
    assert faults("item.quantity > total(order.items)", environment=LINES) == [("TOO_COSTLY", 23)]
    line = item(category_ids=["tools"])
    assert LINES.check("item.category_ids.exists(c, c.startsWith('t'))", Result.CONDITION).run(bound(order(), line)).value is True
    assert (
        LINES.check("['a', 'tools'].exists(c, c in item.category_ids)", Result.CONDITION).run(bound(order(), line)).value is True
    )
    assert LINES.check("order.items.size() == 0", Result.CONDITION).run(bound(order(), line)).value is True


@pytest.mark.parametrize(("walks", "lines", "fits"), [(1, 9_999, True), (1, 10_000, False), (2, 4_999, True), (2, 5_000, False)])
def test_lists_that_are_too_large_are_an_error_even_where_the_first_element_decides(walks: int, lines: int, fits: bool) -> None:
    whole = order(items=[item()] * lines)
    text = " || ".join(["order.items.exists(i, true)"] * walks)
    assert run(text, whole) is (True if fits else RunReason.TOO_LARGE)


@pytest.mark.parametrize(
    "text",
    [
        "order.items.exists(i, order.xp.text.contains('ab'))",
        "order.items.exists(i, order.xp.text == 'a' || order.xp.text == 'b')",
        "order.items.exists(i, 7 in order.xp.list)",
        "order.items.exists(i, order.xp.list.size() > 2000)",
        "order.items.exists(i, order.xp.no == 1 || order.xp.no == 2)",
    ],
)
def test_work_with_data_is_bounded_and_nothing_that_decides_hides_it(text: str) -> None:
    whole = order(items=[item()] * 4_500, xp=xp(text="a" * 7_000, list=[1] * 2_000))
    assert run(f"{text} || true", whole) is RunReason.TOO_LARGE


def test_an_explanation_shows_each_condition_and_what_it_compares_in_the_order_of_the_text() -> None:
    expression = ORDERS.check(
        "order.subtotal > money('200') || !(order.xp.n == 1) && order.items.exists(i, i.quantity > 1)", Result.CONDITION
    )
    parts = expression.explain(bound(order(items=[item()])))
    assert [(part.text, part.value, part.error) for part in parts] == [
        ("order.subtotal > money('200')", False, ""),
        ("order.subtotal", 100_000_000, ""),
        ("(order.xp.n == 1)", None, "There is no 'n'."),
        ("order.xp.n", None, "There is no 'n'."),
        ("order.items.exists(i, i.quantity > 1)", True, ""),
    ]
    assert parts[4].place == Place(1, 56)


def test_a_function_of_an_environment_sees_the_bindings_and_may_fail() -> None:
    def known(bindings: Any, name: str) -> bool:
        if not name:
            raise RunError("A name is needed.")
        return bool(bindings["order"].id == name)

    environment = Environment({"order": Order}, {"known": Function((TEXT,), BOOL, known)})
    assert environment.check("known('PO1')", Result.CONDITION).run({"order": order()}).value is True
    failed = environment.check("known(order.user.id)", Result.CONDITION).run({"order": order()})
    assert (failed.error, failed.reason) == ("A name is needed.", RunReason.FAILED)


def test_a_function_of_an_environment_has_a_name_of_its_own() -> None:
    with pytest.raises(ValueError, match="money"):
        Environment({"order": Order}, {"money": Function((), BOOL, lambda bindings: True)})


async def test_many_runs_let_others_have_their_turn() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    expression = LINES.check("item.quantity > 1", Result.CONDITION)
    task, whole = asyncio.create_task(other()), order()
    values = await run_many(expression, (bound(whole, item(quantity=number % 3)) for number in range(20_000)))
    task.cancel()
    assert [value.value for value in values[:3]] == [False, False, True]
    assert len(values) == 20_000
    assert turns > 1


def test_a_binding_that_is_missing_is_a_defect_of_the_caller() -> None:
    with pytest.raises(KeyError):
        ORDERS.check("order.guest", Result.CONDITION).run({"now": Now()})


def test_reasons_are_words_that_contracts_can_name() -> None:
    assert {reason.value for reason in Reason} == {"SYNTAX", "UNKNOWN_NAME", "TYPE", "NOT_ALLOWED", "TOO_LONG", "TOO_COSTLY"}
