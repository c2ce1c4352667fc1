"""The steps of submit: confirm the quote, hold what the order redeems, end it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from libs.auth import Principal
from libs.clock import Clock
from services.pricing.application.calculation.costs_of_lines import costs_of_lines
from services.pricing.application.calculation.priced_groups import Customer, PricedGroups
from services.pricing.application.ports import Priced, PricingWork, Units
from services.pricing.domain.calculation.costs import LineCost
from services.pricing.domain.calculation.line import Line, Problem
from services.pricing.domain.calculation.quote import Quote, changed
from services.pricing.domain.tax.exemptions import Exemption, Exemptions
from waybill.pricing.v1 import reasons


@dataclass(frozen=True, slots=True)
class Attempt:
    """One step's key and its deadline."""

    order_key: uuid.UUID
    number: int
    deadline: datetime
    validate_only: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The state that stands, and why it does not hold; the costs of the lines where nothing is in the way."""

    state: str
    problems: Sequence[Problem] = ()
    costs: Sequence[LineCost] = ()


class Redemptions:
    """Reserve, confirm, release; each idempotent by (order, attempt)."""

    def __init__(self, units: Units, groups: PricedGroups, clock: Clock, grace: timedelta) -> None:
        """`grace` is how much longer than its attempt's deadline a reservation lives before anyone asks about it."""
        self._units = units
        self._groups = groups
        self._grace = grace
        self._clock = clock

    async def reserve(
        self,
        attempt: Attempt,
        caller: Principal | None,
        customer: Customer,
        currency: str,
        lines: Sequence[Line],
        quote: Quote,
        exemptions: Sequence[Exemption] = (),
    ) -> Answered:
        """RESERVED, or why not; a repeat gets the state that stands. `validate_only` leaves nothing."""
        now = self._clock.now()
        products = {line.product_id for line in lines if line.unit_price_override is None}
        variants = {line.variant_id for line in lines if line.variant_id}
        groups = await self._groups(caller, customer, products)
        exempt = Exemptions(exemptions, now)

        async def check(work: PricingWork) -> Answered:
            priced = await work.prices.priced(customer.buyer_id, groups, products, variants) if products else Priced({})
            rates = await work.prices.rates(*quote.taxed(lines, all=bool(exempt)), now)
            must_know = any(quote.unplaced(lines)) and await work.prices.any_rate()
            if problems := changed(currency, lines, quote, priced.schedules, rates, now, must_know, exempt):
                return Answered("", problems)
            return Answered("", costs=await costs_of_lines(work, currency, lines, priced, now))

        async def reserve(work: PricingWork) -> Answered:
            checked = await check(work)
            if checked.problems:
                # Prices may have moved since this very attempt was reserved: then its promise stands.
                return replace(checked, state=await work.reservations.state(attempt.order_key, attempt.number))
            until = attempt.deadline + self._grace
            return replace(checked, state=await work.reservations.reserve(attempt.order_key, attempt.number, until, now))

        if attempt.validate_only:
            async with self._units.reading() as work:
                return await check(work)
        answered = await self._units.retrying(reserve)
        if answered.state in ("RELEASED", "VOIDED"):
            return Answered(answered.state, [Problem("", reasons.ATTEMPT_RELEASED, "the attempt was released before")])
        return replace(answered, problems=()) if answered.state else answered

    async def end(self, order_key: uuid.UUID, attempt: int, state: str) -> str:
        """CONFIRMED or RELEASED as asked, or what stands there already."""
        now = self._clock.now()
        return await self._units.retrying(lambda work: work.reservations.end(order_key, attempt, state, now))

    async def void(self, order_key: uuid.UUID) -> None:
        """Gives back what the attempts of an order hold or have taken."""
        now = self._clock.now()
        await self._units.retrying(lambda work: work.reservations.void(order_key, now))
