"""The promotions that an order asks for, taken off what it was calculated at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.pricing.application.calculation.priced_groups import Customer
from services.pricing.application.promotions.promote import Judge, Promoted, promote
from services.pricing.domain.calculation.calculate import Calculation, Shipment
from services.pricing.domain.calculation.line import Line
from services.pricing.domain.promotions.asked import Asked, Known, Matched, matched
from services.pricing.domain.promotions.calculated import Placed, basis_of, discounted
from services.pricing.domain.promotions.conditions import Shopper
from services.pricing.domain.promotions.taking import Basis
from services.pricing.domain.promotions.uses import user_key


@dataclass(frozen=True, slots=True)
class Scene:
    """What expressions see of an order beside what its caller said."""

    basis: Basis
    currency: str
    customer: Customer
    group_ids: Sequence[str]
    codes: Sequence[str]
    """Of promotions that were entered, now or before."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an order asks for, and what promotions ask of it."""

    entered: frozenset[str]
    standing: frozenset[str]
    automatic: bool
    unentered: frozenset[str]
    """Promotions that are on the order and came by themselves, where no others are looked for."""
    shopper: Shopper
    placed: Mapping[str, Placed]
    """By line."""
    suppliers: Mapping[str, str]
    """Of estimates that ship what one supplier sells."""
    judging: Callable[[Scene], Judge]

    def asked(self, customer: Customer, groups: Collection[str]) -> Asked:
        """What is looked for, and for whom."""
        of_user = "" if self.shopper.guest else user_key(customer.buyer_id, customer.user_id)
        return Asked(
            self.entered, self.standing, self.automatic, customer.buyer_id, frozenset(groups), of_user, unentered=self.unentered
        )


@dataclass(frozen=True, slots=True)
class OrderPromotions:
    """Promotions that are on an order, those that are not, and codes and ids that lead to nothing."""

    promoted: Promoted = field(default_factory=lambda: Promoted((), ()))
    lost_codes: Collection[str] = ()
    lost_ids: Collection[str] = ()


NO_PROMOTIONS = OrderPromotions()
"""Of an order that asks for none, or has no price yet."""


async def promote_order(
    wanted: Wanted,
    asked: Asked,
    known: Sequence[Known],
    customer: Customer,
    currency: str,
    calculated: Calculation,
    lines: Sequence[Line],
    shipments: Sequence[Shipment],
    now: datetime,
) -> tuple[OrderPromotions, Sequence[Line], Sequence[Shipment]]:
    """The promotions, and the lines and estimates with what they take off, to be calculated again."""
    found: Matched = matched(asked, known)
    if not known:
        return OrderPromotions(lost_codes=found.lost_codes, lost_ids=found.lost_ids), lines, shipments
    basis = basis_of(currency, calculated, lines, wanted.placed, wanted.suppliers)
    codes = sorted({each.code for each in found.candidates if each.code})
    judge = wanted.judging(Scene(basis, currency, customer, sorted(asked.group_ids), codes))
    standing = {each.promotion.id: each.standing for each in known}
    made = await promote(found.candidates, wanted.shopper, standing, basis, judge, now)
    taken = [(each.candidate, each.parts) for each in made.applied]
    return OrderPromotions(made, found.lost_codes, found.lost_ids), *discounted(lines, shipments, basis, taken)
