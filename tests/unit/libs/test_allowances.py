"""An allowance that is spent fills up again with time."""

from __future__ import annotations

from libs.rpc.fairness.allowances import Allowances


def test_what_is_spent_comes_back_and_no_more() -> None:
    allowances = Allowances(most=10, per_second=2, remembered=5)
    assert allowances.left("a", 100.0) == 10
    allowances.spend("a", 6, 100.0)
    assert [allowances.left("a", at) for at in (100.0, 101.0, 102.5, 103.0, 900.0)] == [4, 6, 9, 10, 10]
    assert allowances.left("b", 100.0) == 10


def test_who_overdraws_it_waits_longer() -> None:
    allowances = Allowances(most=10, per_second=2, remembered=5)
    allowances.spend("a", 30, 100.0)
    assert [allowances.left("a", at) for at in (100.0, 110.0, 115.0)] == [-20, 0, 10]


def test_whose_is_full_and_who_was_noted_longest_ago_is_forgotten() -> None:
    allowances = Allowances(most=10, per_second=2, remembered=2)
    for name, amount in (("a", 10), ("b", 10), ("a", 0), ("c", 10)):
        allowances.spend(name, amount, 100.0)
    assert [allowances.left(name, 100.0) for name in ("a", "b", "c")] == [0, 10, 0]
    assert len(allowances) == 2
    assert allowances.left("a", 200.0) == 10
    assert len(allowances) == 1
