"""What the trade story begins with (prices, mark-ups, rates, costs), and what every amount of it has to come to.

The amounts are worked out here by themselves, with decimals and from the inputs alone, so that what the services answer can be
held against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CURRENCY, POINTS = "EUR", "PTS"
CENT = Decimal("0.01")
TAX = Decimal("0.19")
POINT = Decimal("0.01")
"""What a point is worth."""
OPENING_POINTS = 40_000
BY_POINTS = Decimal("250.00")
"""What points pay of the first order; a card pays the rest."""

KNIFE, STONE, BOARD = "knife", "whetstone", "board"
FORGE, LIGHTS, SELLER = "northforge", "lumenworks", ""
"""Who delivers: two suppliers, and the seller itself."""

KNIFE_BREAKS = ((1, Decimal("49.90")), (10, Decimal("46.90")))
LONGER_PERCENT = Decimal("12.5")
"""Of the base price, for the longer blade."""
HORN = Decimal("6.40")
"""For each unit with a handle of horn."""
ENGRAVING = Decimal("25.00")
"""Once for the line, whatever its quantity."""
STONE_PRICE = Decimal("31.55")
"""Without tax, unlike the others."""
BOARD_PRICE = Decimal("24.95")
QUANTITIES = {KNIFE: 12, STONE: 5, BOARD: 7}
KNIFE_COST, STONE_COST = Decimal("28.35"), Decimal("17.8225")
"""What Northforge is paid for a unit."""

FREIGHT, FREIGHT_PER_KG = Decimal("6.90"), Decimal("0.50")
WEIGHTS = {KNIFE: Decimal("0.45"), STONE: Decimal("0.8"), BOARD: Decimal("1.3")}
"""Kilograms of one unit; the knife's is that of the variant that is ordered."""
PLAIN_WEIGHT = Decimal("0.3")
"""Kilograms of a knife of any other variant."""
BOARDS_ON_HAND, BOARDS_BEYOND, BOARDS_ARRIVING = 4, 5, 2
"""Boards that are there, how many more may be sold before they are, and how many of those come in."""
SPARES, SPARES_BY_POINTS = 2, Decimal("80.00")
"""Knives of the second order, and what points pay of it."""


def rounded(amount: Decimal) -> Decimal:
    """To the cent, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def tax_in(gross: Decimal) -> Decimal:
    """What of a price with its tax is tax."""
    return rounded(gross - gross / (1 + TAX))


def first(amount: Decimal, units: int, of: int) -> Decimal:
    """What the first units of a line have of an amount of the whole line: to the cent, so that parts add up to it."""
    return rounded(amount * units / of)


@dataclass(frozen=True, slots=True)
class Sold:
    """What a line comes to."""

    product: str
    quantity: int
    unit_price: Decimal
    weight: Decimal
    """Kilograms of one unit."""
    once: Decimal = Decimal(0)
    """What is added once."""
    tax_included: bool = True

    @property
    def subtotal(self) -> Decimal:
        """Unit price times quantity, and what is added once."""
        return rounded(self.unit_price * self.quantity + self.once)

    @property
    def included_tax(self) -> Decimal:
        """What of it is tax."""
        return tax_in(self.subtotal) if self.tax_included else Decimal(0)

    @property
    def tax(self) -> Decimal:
        """What comes on top."""
        return Decimal(0) if self.tax_included else rounded(self.subtotal * TAX)

    @property
    def freight(self) -> Decimal:
        """Of its parcel, with its tax: no two lines of an order travel together here."""
        return rounded(FREIGHT + FREIGHT_PER_KG * self.weight * self.quantity)

    @property
    def total(self) -> Decimal:
        """With tax and freight."""
        return self.subtotal + self.tax + self.freight

    def shipped(self, units: int) -> Decimal:
        """What is due once so many have left: their part of price and tax, and the freight with the first of them."""
        if not units:
            return Decimal(0)
        return first(self.subtotal, units, self.quantity) + first(self.tax, units, self.quantity) + self.freight

    def net(self, units: int) -> Decimal:
        """What the first units were sold for, without any tax."""
        return first(self.subtotal, units, self.quantity) - first(self.included_tax, units, self.quantity)


def knife_price(quantity: int) -> Decimal:
    """Of one plain knife: that of the greatest quantity that is not above the line's."""
    return max(b for b in KNIFE_BREAKS if b[0] <= quantity)[1]


def knife_steps() -> list[Decimal]:
    """What each step adds to the price of one knife: the price for ten and more, the longer blade, the horn, the engraving."""
    base = knife_price(QUANTITIES[KNIFE])
    return [base, base * LONGER_PERCENT / 100, HORN, Decimal(0)]


def sold() -> dict[str, Sold]:
    """The lines of the first order."""
    return {
        KNIFE: Sold(KNIFE, QUANTITIES[KNIFE], sum(knife_steps(), Decimal(0)), WEIGHTS[KNIFE], ENGRAVING),
        STONE: Sold(STONE, QUANTITIES[STONE], STONE_PRICE, WEIGHTS[STONE], tax_included=False),
        BOARD: Sold(BOARD, QUANTITIES[BOARD], BOARD_PRICE, WEIGHTS[BOARD]),
    }


def spare() -> Sold:
    """The line of the second order."""
    return Sold(KNIFE, SPARES, knife_price(SPARES), PLAIN_WEIGHT)


def total() -> Decimal:
    """Of the first order."""
    return sum((line.total for line in sold().values()), Decimal(0))


def due(gone: Mapping[str, int]) -> Decimal:
    """What is due of the first order once so many units of its lines have left."""
    lines = sold()
    return sum((lines[product].shipped(units) for product, units in gone.items()), Decimal(0))


def charged(shipped: Decimal) -> Decimal:
    """What of it is on the card: points are taken first."""
    return max(Decimal(0), shipped - BY_POINTS)
