"""Expressions that nobody would write: none raises, and all come to what others make of them."""

from __future__ import annotations

import json
import random
from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.expr import Faults, Result
from tests.expressions.compare import KEPT, ours, stated
from tests.expressions.fuzz import examined, large
from tests.expressions.grammar import GOOD, NASTY, Grammar
from tests.expressions.messages import ORDERS, bound, order

ORDER = large(60)
AMOUNTS = st.integers(-(10**17), 10**17)


def test_all_that_is_kept_of_another_implementation_comes_to_the_same() -> None:
    kept, whole = json.loads(KEPT.read_text()), stated()
    assert len(kept) >= 400
    assert {text: ours(text, whole) for text in kept} == kept


@pytest.mark.parametrize("text", GOOD)
def test_a_good_expression_has_a_value_or_an_error(text: str) -> None:
    assert examined(text, ORDER)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_a_bad_idea_is_refused_or_comes_to_something(text: str) -> None:
    examined(text, ORDER)


def test_what_the_grammar_makes_up_never_raises() -> None:
    grammar, ran = Grammar(random.Random(19)), 0
    for _ in range(500):
        ran += bool(examined(grammar.any(), ORDER))
    assert ran > 100


@given(st.text(alphabet="order.subtl i=><!&|()[]'\"\\+-*/%?:,09azx\n\x00é", max_size=60))
def test_any_text_is_refused_or_runs(text: str) -> None:
    examined(text, ORDER)


def value(text: str, subtotal: int) -> int:
    found = ORDERS.check(text, Result.AMOUNT).run(bound(order(subtotal=subtotal)))
    assert not found.failed
    return int(found.value)


@given(AMOUNTS, st.decimals("0", "90", places=6))
def test_a_percentage_is_that_of_decimal_arithmetic(amount: int, rate: Decimal) -> None:
    with localcontext() as exact:
        exact.prec = 60
        wanted = (Decimal(amount) * rate / 100).quantize(Decimal(1), ROUND_HALF_UP)
    assert value(f"percent(order.subtotal, '{rate:f}')", amount) == wanted


@given(AMOUNTS, st.decimals("0", "100000", places=6), st.integers(1, 90))
def test_sums_products_and_quotients_are_those_of_decimal_arithmetic(amount: int, other: Decimal, times: int) -> None:
    micros = int(other.scaleb(6))
    assert value(f"order.subtotal + money('{other:f}')", amount) == amount + micros
    assert value(f"order.subtotal - money('{other:f}') * {times}", amount) == amount - micros * times
    with localcontext() as exact:
        exact.prec = 60
        assert value(f"order.subtotal / {times}", amount) == int(Decimal(amount) / times)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1), st.sampled_from("+-*/%"))
def test_a_number_never_leaves_64_bits(left: int, right: int, sign: str) -> None:
    try:
        expression = ORDERS.check(f"order.subtotal {sign} ({right})", Result.AMOUNT)
    except Faults:
        raise AssertionError(f"{right} was refused") from None
    found = expression.run(bound(order(subtotal=left)))
    exact = {"+": left + right, "-": left - right, "*": left * right}.get(sign)
    if exact is not None:
        assert found.failed == (not -(2**63) <= exact < 2**63)
        assert found.failed or found.value == exact
    elif right == 0:
        assert found.failed
