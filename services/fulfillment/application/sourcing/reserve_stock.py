"""ReserveStock: submit, first wave. All or nothing in one transaction; idempotent by (order, attempt)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from libs.clock import Clock
from libs.service.unit_of_work import UnitsOfWork
from services.fulfillment.application.customers import Customers, Groups
from services.fulfillment.application.ports import FulfillmentWork
from services.fulfillment.application.sourcing.plan_sourcing import stock_of
from services.fulfillment.domain.sourcing.candidates import usable
from services.fulfillment.domain.sourcing.model import Assignment, Customer, Line, Outcome, Problem, Ranking, Stock
from services.fulfillment.domain.sourcing.pipeline import bind, follow, source, stale
from services.fulfillment.domain.sourcing.reservation import Freeze, Reservation, ReservationState
from services.fulfillment.domain.stock.ledger import Cause, reserving, summed_by_record
from waybill.fulfillment.v1 import reasons


@dataclass(frozen=True, slots=True)
class Demand:
    """What an attempt needs; `plan` is what shipping was estimated for, empty when it was not."""

    order_key: str
    attempt: int
    deadline: datetime
    ranking: Ranking
    lines: tuple[Line, ...]
    plan: tuple[Assignment, ...]
    customer: Customer

    def with_groups(self, groups: Groups) -> Demand:
        """The same, of a customer in these groups."""
        return replace(self, customer=replace(self.customer, groups=groups))


@dataclass(frozen=True, slots=True)
class Reserved:
    """What is reserved; the state is None when refused or only checked."""

    state: ReservationState | None
    assignments: tuple[Assignment, ...]
    problems: tuple[Problem, ...] = ()


class ReserveStock:
    """The use case.

    `grace`: how long past the attempt's deadline the order service is asked what became of it.
    """

    def __init__(self, units: UnitsOfWork[FulfillmentWork], customers: Customers, clock: Clock, grace: timedelta) -> None:
        self._units = units
        self._customers = customers
        self._clock = clock
        self._grace = grace

    async def check(self, demand: Demand) -> Reserved:
        """Whether the demand could be reserved now. Leaves nothing."""

        async def decide(groups: Groups) -> Outcome:
            async with self._units.reading() as work:
                return (await self._decide(work, demand.with_groups(groups), lock=False))[0]

        outcome = await self._customers.deciding(demand.customer.groups, decide)
        return Reserved(None, outcome.assignments, outcome.problems)

    async def __call__(self, demand: Demand) -> Reserved:
        """Reserves, in four statements; a repeat returns what was recorded, a late try that it was
        released.
        """

        async def decide(groups: Groups) -> Reserved:
            return await self._units.retrying(lambda work: self._reserve(work, demand.with_groups(groups)))

        return await self._customers.deciding(demand.customer.groups, decide)

    async def _reserve(self, work: FulfillmentWork, demand: Demand) -> Reserved:
        now = self._clock.now()
        outcome, stocks = await self._decide(work, demand, lock=True)
        if not outcome.problems:
            claimed = await work.reservations.claim(
                Reservation(
                    order_key=demand.order_key,
                    attempt=demand.attempt,
                    state=ReservationState.RESERVED,
                    freeze=Freeze.NONE,
                    ranking=demand.ranking,
                    lines=demand.lines,
                    assignments=outcome.assignments,
                    check_time=max(demand.deadline, now) + self._grace,
                ),
                now,
            )
            if claimed:
                movements = reserving(outcome.assignments, Cause(demand.order_key, demand.attempt))
                await work.stock.book(movements, summed_by_record(movements), now, {s.key for s in stocks if s.watched})
                return Reserved(ReservationState.RESERVED, outcome.assignments)
        # Refused, or not the first: what an earlier call of the same attempt left is what counts.
        earlier = await work.reservations.get(demand.order_key, demand.attempt)
        return Reserved(None, (), outcome.problems) if earlier is None else _recorded(earlier)

    async def _decide(self, work: FulfillmentWork, demand: Demand, lock: bool) -> tuple[Outcome, Sequence[Stock]]:
        """Follows the plan, or sources; with the stock that it was decided by.

        A plan that no longer holds is stale if the lines could be sourced at all.
        """
        if not demand.plan:
            stocks = usable(demand.customer, await stock_of(work, demand.lines, lock))
            return source(demand.ranking, demand.lines, stocks), stocks
        named = {item.record_id for item in demand.plan if item.record_id}
        stocks = usable(demand.customer, await work.stock.of_ids(named, lock)) if named else []
        broken = follow(demand.lines, demand.plan, stocks)
        if not broken:
            return Outcome(bind(demand.plan, stocks)), stocks
        # Not locked: this only finds out why. Locking more records now could deadlock with their key order.
        others = usable(demand.customer, await stock_of(work, demand.lines, lock=False))
        again = source(demand.ranking, demand.lines, others)
        return Outcome((), again.problems or stale(demand.lines, broken)), stocks


def _recorded(earlier: Reservation) -> Reserved:
    if earlier.state is ReservationState.RELEASED:
        problem = Problem("", reasons.RESERVATION_RELEASED, f"Attempt {earlier.attempt} was released; it cannot be tried again.")
        return Reserved(earlier.state, (), (problem,))
    return Reserved(earlier.state, earlier.assignments)
