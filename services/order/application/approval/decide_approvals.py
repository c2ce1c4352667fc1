"""ApproveOrder, DeclineOrder and RecallOrder: what becomes of an order that awaits approval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.auth import Principal
from libs.errors import missing, stale
from libs.idempotency.key import RequestKey
from services.order.application.access import locked, require_no_attempt, require_writable
from services.order.application.approval.begin_case import BeginCase
from services.order.application.approval.find_case import Found, approvable
from services.order.application.peers import Directory
from services.order.application.ports import OrderWork, Units
from services.order.application.records import Attempt, Outcome
from services.order.application.submission.attempts import begun, new_approval, next_number, outcome
from services.order.application.submission.steps import Steps
from services.order.application.submission.submit_order import SubmitOrder
from services.order.domain.approval import moves
from services.order.domain.approval.case import Case, Given
from services.order.domain.approval.moves import Actor
from services.order.domain.approval.rounds import decline, withdraw
from services.order.domain.approval.voters import Voter, chosen
from services.order.domain.model import Order
from services.order.domain.status import Trigger, move


@dataclass(frozen=True, slots=True)
class Decision:
    """What an approver says."""

    rule_ids: Sequence[str]
    """The rules whose approvals are decided; all that it decides about where none is named."""
    comment: str
    etag: str
    allow_resubmit: bool = False


class DecideApprovals:
    """Groups are looked up before each decision: who has left one decides no more."""

    def __init__(self, units: Units, directory: Directory, submit: SubmitOrder, approvals: BeginCase, steps: Steps) -> None:
        self._units = units
        self._directory = directory
        self._submit = submit
        self._approvals = approvals
        self._clock, self._limits = steps.clock, steps.limits

    async def approve(self, caller: Principal, order_id: str, said: Decision, request: RequestKey | None) -> Order:
        """The order with these approvals given; submitted with the last of them."""
        voter = await self._voter(caller)
        recorded, attempt, order = await self._units.retrying(
            lambda work: self._approve(work, caller, order_id, voter, said, request)
        )
        if recorded is not None:
            return await self._again(order, recorded.get("attempt", 0))
        if attempt is None:
            return order
        attempt, driven = await self._submit.drive(attempt)
        return outcome(attempt, driven.order)

    async def _approve(
        self, work: OrderWork, caller: Principal, order_id: str, voter: Voter, said: Decision, request: RequestKey | None
    ) -> tuple[Outcome | None, Attempt | None, Order]:
        """What another call of the same id has recorded, else the attempt that gives the last approvals, and the order."""
        now = self._clock.now()
        found = await approvable(work, caller, order_id, voter, lock=True)
        # Under the lock, so that of two calls with one id the later sees what the other has begun.
        recorded = await work.requests.find(request)
        if recorded is not None:
            return recorded, None, found.order
        order, case = found.order, self._deciding(found, said, Trigger.APPROVE, now)
        rules = chosen(order.id, case.round, voter, said.rule_ids)
        by = Actor(caller.user_id, caller.party_id, said.comment)
        after = self._approvals.given(case, rules, by, now)
        await work.requests.claim(request, {"order": order.id, "attempt": 0 if after.waits else next_number(order)}, now)
        given = Given(case.round.number, case.begin_time, tuple(sorted(rules)), by)
        return None, *await self._given(work, order, case, after, given, now)

    async def decline(self, caller: Principal, order_id: str, said: Decision, request: RequestKey | None) -> Order:
        """The order declined."""
        voter = await self._voter(caller)
        async with self._units.transaction() as work:
            now = self._clock.now()
            recorded = await work.requests.claim(request, {"order": order_id}, now)
            if recorded is not None:
                return (await approvable(work, caller, order_id, voter)).order
            found = await approvable(work, caller, order_id, voter, lock=True)
            order, case = found.order, self._deciding(found, said, Trigger.DECLINE, now)
            rules = chosen(order.id, case.round, voter, said.rule_ids)
            after = decline(case.round, rules, caller.user_id, said.comment, now)
            by = Actor(caller.user_id, caller.party_id, said.comment)
            declined, event = moves.decline(order, after, by, now, resubmit=said.allow_resubmit)
            await work.orders.save(order, declined, [event])
            await work.rounds.save(order.key, after)
            return declined

    async def recall(self, caller: Principal, order_id: str, comment: str, etag: str, request: RequestKey | None) -> Order:
        """The order as its buyer takes it back."""
        async with self._units.transaction() as work:
            now = self._clock.now()
            order = await locked(work.orders, caller, order_id)
            recorded = await work.requests.claim(request, {"order": order_id}, now)
            if recorded is not None:
                return order
            require_writable(caller, order, now, Trigger.RECALL, etag)
            case = await self._case(work, order)
            recalled, event = moves.recall(order, case.round, Actor(caller.user_id, caller.party_id, comment), now)
            await work.orders.save(order, recalled, [event])
            await work.rounds.save(order.key, withdraw(case.round, now))
            return recalled

    async def _voter(self, caller: Principal) -> Voter:
        return Voter(caller.user_id, frozenset(await self._directory.group_ids(caller.user_id)))

    def _deciding(self, found: Found, said: Decision, trigger: Trigger, now: datetime) -> Case:
        """What is decided about, of an order that is locked. Raises unless it is to be decided now."""
        order = found.order
        if said.etag and said.etag != str(order.version):
            raise stale("order", order.id, str(order.version))
        require_no_attempt(order, now)
        move(order.id, order.status, trigger)
        if found.case is None:
            raise missing("approval", order.id)
        return found.case

    async def _given(
        self, work: OrderWork, order: Order, before: Case, after: Case, given: Given, now: datetime
    ) -> tuple[Attempt | None, Order]:
        """Approvals given, or the attempt that gives the last of them, and the order as it is then."""
        if after.waits:
            noted, event = moves.note(order, before.round, after.round, given.by, now)
            await work.orders.save(order, noted, [event])
            await work.rounds.save(order.key, after.round)
            return None, noted
        first = await work.submissions.get(order.key, before.attempt)
        if first is None:
            raise missing("order", order.id)
        attempt = new_approval(order, first.caller, given, now, self._limits)
        begins, event = begun(order, attempt, given.by)
        await work.submissions.insert(attempt)
        await work.orders.save(order, begins, [event])
        return attempt, begins

    async def _case(self, work: OrderWork, order: Order) -> Case:
        case = await work.rounds.newest(order.key)
        if case is None:
            raise missing("approval", order.id)
        return case

    async def _again(self, order: Order, attempt: int) -> Order:
        """What the first call of this id has led to."""
        if attempt:
            return (await self._submit.join(order.key, attempt))[0]
        async with self._units.reading() as work:
            return await work.orders.by_key(order.key) or order
