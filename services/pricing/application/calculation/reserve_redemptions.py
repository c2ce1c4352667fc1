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
from services.pricing.application.promotions.redeem import OnOrder, Redeemed, redeem
from services.pricing.domain.calculation.calculate import calculate
from services.pricing.domain.calculation.costs import LineCost
from services.pricing.domain.calculation.line import Line, Problem
from services.pricing.domain.calculation.quote import Quote, changed
from services.pricing.domain.promotions.shown import reached
from services.pricing.domain.promotions.uses import full
from services.pricing.domain.tax.exemptions import Exemption, Exemptions
from services.pricing.domain.tax.rates import SHIPPING
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
        promotions: OnOrder | None = None,
    ) -> Answered:
        """RESERVED, or why not; a repeat gets the state that stands. `validate_only` leaves nothing."""
        now = self._clock.now()
        checked, redeemed = await self._check(caller, customer, currency, lines, quote, exemptions, promotions, now)
        if attempt.validate_only:
            return checked
        if checked.problems:
            # Prices may have moved since this very attempt was reserved: then its promise stands.
            async with self._units.reading() as work:
                answered = replace(checked, state=await work.reservations.state(attempt.order_key, attempt.number))
        else:
            answered = await self._hold(attempt, checked, redeemed, now)
        if answered.state in ("RELEASED", "VOIDED"):
            return Answered(answered.state, [Problem("", reasons.ATTEMPT_RELEASED, "the attempt was released before")])
        return replace(answered, problems=()) if answered.state else answered

    async def _check(
        self,
        caller: Principal | None,
        customer: Customer,
        currency: str,
        lines: Sequence[Line],
        quote: Quote,
        exemptions: Sequence[Exemption],
        promotions: OnOrder | None,
        now: datetime,
    ) -> tuple[Answered, Redeemed]:
        """Why the quote does not hold, or what the order uses. Expressions run outside of transactions."""
        exempt = Exemptions(exemptions, now)
        products = {line.product_id for line in lines if promotions or line.unit_price_override is None}
        variants = {line.variant_id for line in lines if line.variant_id}
        groups = await (self._groups.of(caller, customer) if promotions else self._groups(caller, customer, products))
        asked = promotions and promotions.wanted.asked(customer, groups)
        places, classes = quote.taxed(lines, all=bool(exempt))
        if promotions and exempt:
            # The tax that an exempt buyer does not pay is no part of the shipping cost that promotions are taken off.
            places |= {place for one in promotions.shipments if (place := one.destination or quote.destination)}
            classes |= {SHIPPING}
        async with self._units.reading() as work:
            priced = await work.prices.priced(customer.buyer_id, groups, products, variants) if products else Priced({})
            rates = await work.prices.rates(places, classes, now)
            must_know = any(quote.unplaced(lines)) and await work.prices.any_rate()
            if problems := changed(currency, lines, quote, priced.schedules, rates, now, must_know, exempt):
                return Answered("", problems), Redeemed()
            costs = await costs_of_lines(work, currency, lines, priced, now)
            known = await work.asked_promotions.known(asked, now) if asked else ()
        if not (promotions and asked):
            return Answered("", costs=costs), Redeemed()
        shipments, place = promotions.shipments, quote.destination
        calculated = calculate(currency, lines, shipments, place, priced.schedules, rates, now, exemptions=exempt)
        redeemed = await redeem(promotions, asked, known, customer, currency, calculated, lines, now)
        return Answered("", redeemed.problems, () if redeemed.problems else costs), redeemed

    async def _hold(self, attempt: Attempt, checked: Answered, redeemed: Redeemed, now: datetime) -> Answered:
        """Holds what the order uses; a limit that others have come to meanwhile leaves nothing."""
        key, number = attempt.order_key, attempt.number

        async def hold(work: PricingWork) -> str:
            if not await work.reservations.reserve(key, number, attempt.deadline + self._grace, now):
                return await work.reservations.state(key, number)
            if redeemed.used:
                await _take(work, key, number, redeemed)
            return "RESERVED"

        try:
            return replace(checked, state=await self._units.retrying(hold))
        except _LimitsReached as error:
            return Answered("", error.problems)

    async def end(self, order_key: uuid.UUID, attempt: int, state: str) -> str:
        """CONFIRMED or RELEASED as asked, or what stands there already."""
        now = self._clock.now()

        async def end(work: PricingWork) -> str:
            stands, moved = await work.reservations.end(order_key, attempt, state, now)
            if moved:
                await work.uses.count(order_key, attempt, "RESERVED", stands)
            return stands

        return await self._units.retrying(end)

    async def void(self, order_key: uuid.UUID) -> None:
        """Gives back what the attempts of an order hold or have taken: one has, if any."""
        now = self._clock.now()

        async def void(work: PricingWork) -> None:
            for attempt, before in (await work.reservations.void(order_key, now)).items():
                await work.uses.count(order_key, attempt, before, "VOIDED")

        await self._units.retrying(void)


class _LimitsReached(Exception):
    """Undoes what was written of an attempt that is refused."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("limits are reached")
        self.problems = problems


async def _take(work: PricingWork, key: uuid.UUID, attempt: int, redeemed: Redeemed) -> None:
    """One use of each promotion, as long as its limits allow it."""
    taken = await work.uses.take(key, attempt, redeemed.used, redeemed.user_key)
    if problems := [reached(limit) for id, (limits, standing) in taken.items() for limit in full(id, limits, standing)]:
        raise _LimitsReached(problems)
    await work.uses.count(key, attempt, "", "RESERVED")
