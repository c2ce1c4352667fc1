"""The promotions on an order that is submitted: whether they still are what they were shown to be, and which of them it uses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.pricing.application.calculation.priced_groups import Customer
from services.pricing.application.promotions.promote_order import Wanted, promote_order
from services.pricing.domain.calculation.calculate import Calculation, Shipment
from services.pricing.domain.calculation.line import Line, Problem
from services.pricing.domain.promotions.asked import Asked, Known
from services.pricing.domain.promotions.shown import Shown, changed_promotions, reached
from services.pricing.domain.promotions.uses import Limits, full


@dataclass(frozen=True, slots=True)
class OnOrder:
    """The promotions on an order, what they were shown to take off, and the shipping that some are taken off."""

    wanted: Wanted
    shown: Shown
    shipments: Sequence[Shipment]


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Why an order cannot be submitted with its promotions, or those that it uses, and whose uses they are."""

    problems: Sequence[Problem] = ()
    used: Collection[str] = ()
    user_key: str = ""


async def redeem(
    on_order: OnOrder,
    asked: Asked,
    known: Sequence[Known],
    customer: Customer,
    currency: str,
    calculated: Calculation,
    lines: Sequence[Line],
    now: datetime,
) -> Redeemed:
    """Judges them again, and no others. One that takes nothing off stays on the order and is not used by it."""
    if calculated.problems:
        return Redeemed(calculated.problems)
    wanted = on_order.wanted
    made, cheaper, _ = await promote_order(wanted, asked, known, customer, currency, calculated, lines, on_order.shipments, now)
    applied = {each.candidate.promotion.id: each.amount for each in made.promoted.applied}
    dropped = {each.candidate.promotion.id: each.drop.reason for each in made.promoted.dropped}
    if problems := changed_promotions(on_order.shown, applied, dropped, cheaper):
        return Redeemed(problems)
    used = {id for id, amount in applied.items() if amount}
    standing = [(each.promotion, each.standing) for each in known if each.promotion.id in used]
    found = [reached(limit) for promotion, its in standing for limit in full(promotion.id, Limits.of(promotion), its)]
    return Redeemed(found, used, asked.user_key)
