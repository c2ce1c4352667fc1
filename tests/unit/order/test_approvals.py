"""Rounds of approvals: what opens, who decides, and how a round ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from libs.errors import WaybillError
from services.order.domain.approval import rounds
from services.order.domain.approval.rounds import Approval, ApprovalStatus, Evaluate, Match, Round
from services.order.domain.approval.voters import Voter, chosen, eligible, may_decide
from tests.unit.order.builders import NOW

LATER = NOW + timedelta(hours=1)
PENDING, APPROVED, DECLINED, WITHDRAWN = ApprovalStatus
NOBODYS: frozenset[str] = frozenset()


def ruled(**wanted: Callable[[frozenset[str]], bool]) -> Evaluate:
    """Rules by id, each with the condition on what is approved; its group is called after it."""
    return lambda approved: [Match(id, f"{id}-group") for id, holds in sorted(wanted.items()) if holds(approved)]


def always(approved: frozenset[str]) -> bool:
    return True


def begun(evaluate: Evaluate, *groups: str) -> Round:
    return rounds.begin(1, "ann", groups, evaluate, NOW)


def states(round: Round) -> dict[str, str]:
    return {a.rule_id: a.status.value for a in round.approvals}


def voter(*groups: str, user: str = "bob") -> Voter:
    return Voter(user, frozenset(groups))


def refused(attempt: Callable[[], object]) -> str:
    with pytest.raises(WaybillError) as error:
        attempt()
    return error.value.reason


def test_a_round_in_which_no_rule_holds_is_settled_and_empty() -> None:
    assert begun(ruled(big=lambda _: False)) == Round(1, "ann", NOBODYS)
    assert begun(ruled()).settled


def test_every_rule_that_holds_is_pending_at_the_same_time_and_all_have_to_be_given() -> None:
    wanted = ruled(big=always, strange=always)
    round = begun(wanted)
    assert states(round) == {"big": "PENDING", "strange": "PENDING"}
    one = rounds.approve(round, ["strange"], "bob", "fine", wanted, LATER)
    assert not one.settled
    assert one.approvals[1] == Approval("strange", "strange-group", APPROVED, NOW, False, "", "bob", "fine", LATER)
    assert rounds.approve(one, ["big"], "bea", "", wanted, LATER).settled


def test_a_rule_of_the_users_own_group_is_given_at_once_and_says_so() -> None:
    round = begun(ruled(big=always, strange=always), "big-group")
    assert states(round) == {"big": "APPROVED", "strange": "PENDING"}
    assert round.approvals[0] == Approval("big", "big-group", APPROVED, NOW, auto=True, complete_time=NOW)
    assert begun(ruled(big=always), "big-group", "others").settled


def test_a_rule_that_waits_for_another_opens_when_that_is_given() -> None:
    wanted = ruled(first=always, second=lambda approved: "first" in approved, third=lambda approved: "second" in approved)
    round = begun(wanted)
    assert states(round) == {"first": "PENDING"}
    round = rounds.approve(round, ["first"], "bob", "", wanted, LATER)
    assert states(round) == {"first": "APPROVED", "second": "PENDING"}
    assert round.approvals[1].create_time == LATER
    assert states(begun(wanted, "first-group", "second-group")) == {"first": "APPROVED", "second": "APPROVED", "third": "PENDING"}


def test_what_is_pending_stays_so_when_its_rule_no_longer_holds() -> None:
    wanted = ruled(big=always, alone=lambda approved: not approved)
    round = rounds.approve(begun(wanted), ["big"], "bob", "", wanted, LATER)
    assert states(round) == {"alone": "PENDING", "big": "APPROVED"}


def test_approvers_see_why_a_rule_could_not_be_worked_out() -> None:
    round = begun(lambda _: [Match("big", "bosses", "no such key: limit")])
    assert round.pending[0].error == "no such key: limit"


def test_one_decline_ends_the_round_and_leaves_what_was_decided() -> None:
    wanted = ruled(big=always, odd=always, strange=always)
    round = rounds.approve(begun(wanted), ["big"], "bob", "", wanted, NOW)
    ended = rounds.decline(round, ["odd"], "bea", "too dear", LATER)
    assert states(ended) == {"big": "APPROVED", "odd": "DECLINED", "strange": "WITHDRAWN"}
    assert not ended.settled
    assert ended.approvals[1] == Approval("odd", "odd-group", DECLINED, NOW, False, "", "bea", "too dear", LATER)
    assert ended.approvals[2] == Approval("strange", "strange-group", WITHDRAWN, NOW, complete_time=LATER)


def test_a_recall_withdraws_what_is_pending() -> None:
    wanted = ruled(big=always, strange=always)
    round = rounds.withdraw(rounds.approve(begun(wanted), ["big"], "bob", "", wanted, NOW), LATER)
    assert states(round) == {"big": "APPROVED", "strange": "WITHDRAWN"}


@pytest.mark.parametrize("status", ApprovalStatus)
@pytest.mark.parametrize("action", ["approve", "decline", "withdraw"])
def test_only_what_is_pending_is_moved_by_any_action(status: ApprovalStatus, action: str) -> None:
    round = Round(1, "ann", NOBODYS, (Approval("big", "bosses", status, NOW),))
    after = {
        "approve": lambda: rounds.approve(round, ["big"], "bob", "", ruled(), LATER),
        "decline": lambda: rounds.decline(round, ["big"], "bob", "", LATER),
        "withdraw": lambda: rounds.withdraw(round, LATER),
    }[action]()
    target = {"approve": APPROVED, "decline": DECLINED, "withdraw": WITHDRAWN}[action]
    assert after.approvals[0].status is (target if status is PENDING else status)
    if status is not PENDING:
        assert after == round
        assert refused(lambda: chosen("PO1", round, voter("bosses"), ["big"])) == "APPROVAL_DECIDED"


def test_members_of_its_group_decide_an_approval_and_the_orders_user_never_does() -> None:
    round = begun(ruled(big=always, strange=always))
    assert chosen("PO1", round, voter("big-group"), []) == {"big"}
    assert chosen("PO1", round, voter("big-group", "strange-group"), []) == {"big", "strange"}
    assert chosen("PO1", round, voter("big-group", "strange-group"), ["strange"]) == {"strange"}
    for other in (voter(), voter("others"), voter("big-group", "strange-group", user="ann")):
        assert may_decide(round, other) == ()
        for named in ([], ["big"]):
            assert refused(lambda other=other, named=named: chosen("PO1", round, other, named)) == "NOT_ELIGIBLE_TO_APPROVE"
    assert refused(lambda: chosen("PO1", round, voter("big-group"), ["big", "strange"])) == "NOT_ELIGIBLE_TO_APPROVE"
    assert refused(lambda: chosen("PO1", round, voter("big-group"), ["other"])) == "RESOURCE_NOT_FOUND"


def test_nobody_decides_twice_or_after_the_end_of_the_round() -> None:
    wanted = ruled(big=always, strange=always)
    round = rounds.approve(begun(wanted), ["big"], "bob", "", wanted, NOW)
    assert refused(lambda: chosen("PO1", round, voter("big-group"), ["big"])) == "APPROVAL_DECIDED"
    assert refused(lambda: chosen("PO1", round, voter("big-group"), [])) == "NOT_ELIGIBLE_TO_APPROVE"
    ended = rounds.withdraw(round, NOW)
    assert refused(lambda: chosen("PO1", ended, voter("strange-group"), ["strange"])) == "APPROVAL_DECIDED"


def test_those_are_eligible_who_may_decide_anything_that_is_pending() -> None:
    wanted = ruled(big=always, strange=always)
    round = rounds.approve(begun(wanted), ["big"], "bob", "", wanted, NOW)
    members = [("strange-group", "cy"), ("strange-group", "ann"), ("strange-group", "al"), ("big-group", "bob")]
    assert eligible(round, members) == ["al", "cy"]


RULES = [f"r{n}" for n in range(5)]
USERS = {"ann": {"g0"}, "bob": {"g1", "g2"}, "bea": {"g2", "g3"}, "cy": {"g4", "g0"}, "dee": set()}


class Rounds(RuleBasedStateMachine):
    """One round, decided by whoever tries to, against a plain account of what has happened."""

    @initialize(needs=st.lists(st.frozensets(st.sampled_from(RULES), max_size=2), min_size=5, max_size=5))
    def begins(self, needs: Sequence[frozenset[str]]) -> None:
        """Rule n belongs to group n and holds once those are approved that it needs."""
        self.needs = dict(zip(RULES, needs, strict=True))
        self.given: set[str] = set()
        self.over = False
        self.round = rounds.begin(1, "ann", USERS["ann"], self.evaluate, NOW)
        self.given |= {a.rule_id for a in self.round.approvals if a.auto}

    def evaluate(self, approved: frozenset[str]) -> list[Match]:
        return [Match(id, f"g{id[1]}") for id in RULES if self.needs[id] <= approved]

    def may(self, user: str) -> set[str]:
        return {a.rule_id for a in self.round.pending if user != "ann" and f"g{a.rule_id[1]}" in USERS[user]}

    @rule(user=st.sampled_from(sorted(USERS)), named=st.sets(st.sampled_from(RULES), max_size=2), yes=st.booleans())
    def decides(self, user: str, named: set[str], yes: bool) -> None:
        allowed, before = self.may(user), self.round
        try:
            ids = chosen("PO1", self.round, Voter(user, frozenset(USERS[user])), sorted(named))
        except WaybillError:
            assert not allowed or not named <= allowed
            return
        assert ids == (named or allowed) <= allowed
        if yes:
            self.round = rounds.approve(self.round, ids, user, "", self.evaluate, LATER)
            self.given |= ids
        else:
            self.round = rounds.decline(self.round, ids, user, "", LATER)
            self.over = True
        assert self.round.approvals[: len(before.approvals)] != before.approvals

    @precondition(lambda self: not self.over)
    @rule()
    def recalls(self) -> None:
        pending = bool(self.round.pending)
        self.round = rounds.withdraw(self.round, LATER)
        self.over = pending

    @invariant()
    def each_rule_has_one_approval_and_what_holds_is_open_while_the_round_goes_on(self) -> None:
        ids = [a.rule_id for a in self.round.approvals]
        assert len(ids) == len(set(ids))
        held = {match.rule_id for match in self.evaluate(self.round.approved)}
        assert self.over or held <= set(ids)

    @invariant()
    def nothing_is_approved_but_by_a_member_or_at_once(self) -> None:
        for a in self.round.approvals:
            if a.status is APPROVED:
                assert a.auto is (a.group_id in USERS["ann"])
                assert a.auto or (a.user_id != "ann" and a.group_id in USERS[a.user_id])
        assert {a.rule_id for a in self.round.approvals if a.auto} <= self.round.approved
        assert self.given <= self.round.approved

    @invariant()
    def a_round_that_is_over_is_never_settled_and_has_nothing_pending(self) -> None:
        assert not self.over or (not self.round.pending and not self.round.settled)
        assert self.over or self.round.settled is not bool(self.round.pending)


TestRounds = Rounds.TestCase
