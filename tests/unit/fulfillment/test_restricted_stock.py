"""Records that are for some buyers and groups only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.fulfillment.domain.sourcing.candidates import GroupsUnknown, may_use, usable
from services.fulfillment.domain.sourcing.model import Customer, Strategy
from services.fulfillment.domain.sourcing.pipeline import source
from tests.unit.fulfillment.builders import line, stock

ANNA = Customer("acme", "anna", frozenset({"buyers"}))
OPEN = stock("open")
ACMES = replace(stock("acmes"), buyer_ids=("acme", "globex"))
GROUPS = replace(stock("groups"), user_group_ids=("buyers", "others"))
BOTH = replace(stock("both"), buyer_ids=("globex",), user_group_ids=("others",))


def names(customer: Customer) -> list[str]:
    return [s.id for s in usable(customer, [OPEN, ACMES, GROUPS, BOTH])]


def test_a_record_is_for_its_buyers_and_for_its_groups() -> None:
    assert names(ANNA) == ["open", "acmes", "groups"]
    assert names(Customer("acme")) == ["open", "acmes"]
    assert names(Customer("globex", "gil", frozenset({"others"}))) == ["open", "acmes", "groups", "both"]
    assert names(Customer("initech", "ian", frozenset())) == ["open"]
    assert names(Customer()) == ["open"]


def test_nobody_is_a_buyer_without_an_id() -> None:
    assert not may_use(Customer(), replace(OPEN, buyer_ids=("",)))


def test_groups_that_nobody_looked_up_are_asked_for_only_where_they_decide() -> None:
    unknown = replace(ANNA, groups=None)
    assert usable(unknown, [OPEN, ACMES]) == [OPEN, ACMES]
    assert usable(unknown, [replace(GROUPS, buyer_ids=("acme",))])
    with pytest.raises(GroupsUnknown) as asked:
        usable(unknown, [OPEN, GROUPS])
    assert asked.value.user_id == "anna"


@pytest.mark.parametrize("strategy", Strategy)
def test_what_is_kept_for_a_customer_is_taken_before_what_is_open(strategy: Strategy) -> None:
    opened = replace(stock("a", supplier="bolt", on_hand=9), priority=0)
    kept = replace(stock("z", supplier="nut", on_hand=3), priority=9, buyer_ids=("acme",))
    wanted = line(quantity=5, default_supplier_id="bolt", supplier_ids=("nut",))
    found = source(strategy, [wanted], usable(ANNA, [opened, kept])).assignments
    assert [(a.record_id, a.quantity) for a in found] == [("z", 3), ("a", 2)]
    others = source(strategy, [wanted], usable(Customer("globex"), [opened, kept])).assignments
    assert [(a.record_id, a.quantity) for a in others] == [("a", 5)]


def test_a_record_of_others_is_refused_by_name_like_one_that_does_not_exist() -> None:
    hidden = replace(stock("b", on_hand=9), buyer_ids=("globex",))
    (refused,) = source(Strategy.PRIORITY, [line(inventory_record_id="b")], usable(ANNA, [hidden])).problems
    (unknown,) = source(Strategy.PRIORITY, [line(inventory_record_id="b")], []).problems
    assert refused == unknown
