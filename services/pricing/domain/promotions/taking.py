"""How much of a promotion is taken off which part of an order: never more than is left of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.money import apportion, round_half_up, share
from services.pricing.domain.promotions.promotion import Promotion, Target
from services.pricing.domain.promotions.worth import Worth

Part = tuple[int, int]
"""The place of a line or an estimate in its basis, and the amount in micros that comes off it."""


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """A priced line; `left` of its subtotal is what a discount that was set by hand leaves of it."""

    id: str
    quantity: int
    unit_price: int
    subtotal: int
    left: int
    create_time: datetime
    supplier_id: str = ""
    overridden: bool = False
    """Whether its discount was set by hand: that stands in for promotions of lines."""


@dataclass(frozen=True, slots=True)
class Freight:
    """What shipping one estimate costs. It is a supplier's where all that it ships is."""

    id: str
    left: int
    supplier_id: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """What promotions are taken off, in the order of the ids, so that no result depends on how lines are ordered.

    Every `left` is a multiple of `unit`, the micros of the currency's minor unit.
    """

    unit: int
    lines: tuple[GoodsLine, ...]
    freights: tuple[Freight, ...] = ()

    @classmethod
    def of(cls, unit: int, lines: Iterable[GoodsLine], freights: Iterable[Freight] = ()) -> Basis:
        """The basis of these, given in any order."""
        return cls(unit, tuple(sorted(lines, key=lambda x: x.id)), tuple(sorted(freights, key=lambda x: x.id)))

    def lines_of(self, promotion: Promotion) -> list[int]:
        """The places of lines that a promotion can make cheaper."""
        by_line = promotion.target is Target.LINE
        return [
            i for i, line in enumerate(self.lines) if _owns(promotion, line.supplier_id) and not (by_line and line.overridden)
        ]

    def freights_of(self, promotion: Promotion) -> list[int]:
        """The places of estimates that a promotion can make cheaper."""
        return [i for i, freight in enumerate(self.freights) if _owns(promotion, freight.supplier_id)]


class Taking:
    """Takes promotions off one after the other; each begins with what those before it have left.

    One promotion is one step, so that whoever takes many off a large order can let others have their turn between them.
    """

    __slots__ = ("_basis", "freights", "lines")

    def __init__(self, basis: Basis) -> None:
        self._basis = basis
        self.lines = [line.left for line in basis.lines]
        """What is left of each line."""
        self.freights = [freight.left for freight in basis.freights]
        """What is left of each estimate's cost."""

    def parts(self, promotion: Promotion, worth: Worth) -> list[Part]:
        """What would come off now; each part is above 0."""
        if promotion.target is Target.LINE:
            return self._of_lines(promotion, worth)
        if promotion.target is Target.ORDER:
            return self._shared(worth.whole, self.lines, self._basis.lines_of(promotion))
        return self._shared(worth.whole, self.freights, self._basis.freights_of(promotion))

    def take(self, promotion: Promotion, worth: Worth) -> list[Part]:
        """Takes it off. Nothing comes off where nothing is left."""
        found = self.parts(promotion, worth)
        left = self.freights if promotion.target is Target.SHIPPING else self.lines
        for place, amount in found:
            left[place] -= amount
        return found

    def _shared(self, whole: int, left: Sequence[int], places: Sequence[int]) -> list[Part]:
        """An amount over what is left of each: a share is below what it is a share of as long as the whole is, by largest
        remainder too."""
        bases = [left[place] for place in places]
        amount = min(round_half_up(whole, self._basis.unit), sum(bases))
        if amount <= 0:
            return []
        shares = apportion(amount, bases, self._basis.unit)
        return [(place, part) for place, part in zip(places, shares, strict=True) if part]

    def _of_lines(self, promotion: Promotion, worth: Worth) -> list[Part]:
        """Lines that nothing comes off do not count towards a limit."""
        units = promotion.quantity_limit_per_order
        most = promotion.item_limit_per_order
        parts: list[Part] = []
        for place in self._in_turn(promotion, worth):
            if units == 0 or len(parts) == most:
                break
            line, amount = self._basis.lines[place], worth.lines[place]
            counted = line.quantity if units is None else min(units, line.quantity)
            amount = min(self._off(amount, line.quantity, counted), self.lines[place])
            if amount <= 0:
                continue
            parts.append((place, amount))
            units = None if units is None else units - counted
        return parts

    def _off(self, amount: int, quantity: int, counted: int) -> int:
        """What comes off for the first units of a line, rounded once."""
        if counted == quantity:
            return round_half_up(amount, self._basis.unit)
        return share(amount, quantity, counted, self._basis.unit)

    def _in_turn(self, promotion: Promotion, worth: Worth) -> Sequence[int]:
        can = set(self._basis.lines_of(promotion))
        places = sorted(place for place in worth.lines if place in can)
        if promotion.quantity_limit_per_order is None and promotion.item_limit_per_order is None:
            return places
        name, _, greatest_first = (promotion.item_order or "create_time").partition(" ")
        # Both ways equal ones stay in the order of their ids.
        return sorted(places, key=lambda place: _ORDERS[name](self._basis.lines[place]), reverse=bool(greatest_first))


_ORDERS: dict[str, Callable[[GoodsLine], datetime | int]] = {
    "create_time": lambda line: line.create_time,
    "unit_price": lambda line: line.unit_price,
    "subtotal": lambda line: line.subtotal,
    "quantity": lambda line: line.quantity,
}


def _owns(promotion: Promotion, supplier_id: str) -> bool:
    """The seller's promotions are for all that is sold, a supplier's for what it sells itself."""
    return not promotion.supplier_id or promotion.supplier_id == supplier_id
