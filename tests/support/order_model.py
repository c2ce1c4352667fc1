"""What should become of units and money, in plain arithmetic: orders, lines, supplier orders, stock, payments.

Nothing here is asked of a server but how units were split: that is then held against what was ordered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from tests.support import payment_model
from tests.support.payment_model import GIFT, POINTS, Payment

CENT = Decimal("0.01")
TAX = Decimal("0.0725")
PARCEL = Decimal("9.00")
FEE_TAX = Decimal("0.1")
RECORDS = {"nail": {"northforge": 12}, "bolt": {"wh-east": 6, "wh-west": 6}, "lamp": {"lumenworks": 8}}
"""Units by product and supplier, the default one first."""
STOCK = {product: sum(units.values()) for product, units in RECORDS.items()}
PRICES = {"nail": Decimal("2.50"), "bolt": Decimal("3.333"), "lamp": Decimal("64.30")}
LIVE = ("OPEN", "ACCEPTED")


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(slots=True)
class Line:
    """A line of the buyer's order."""

    product: str
    quantity: int
    shipped: int = 0
    canceled: int = 0


@dataclass(slots=True)
class PartLine:
    """Units of a line in one supplier order; `held` are those that stock is promised for and that have not left."""

    quantity: int
    held: int
    shipped: int = 0
    packed: int = 0
    canceled: int = 0

    @property
    def open(self) -> int:
        """Units that have neither left nor been canceled."""
        return self.quantity - self.shipped - self.canceled

    @property
    def unpacked(self) -> int:
        """Open units on no shipment."""
        return self.open - self.packed


@dataclass(slots=True)
class Part:
    """A supplier order."""

    supplier: str
    status: str
    implicit: bool
    lines: dict[str, PartLine]

    def settle(self) -> None:
        """COMPLETED once no unit is open."""
        if all(line.quantity == line.shipped + line.canceled for line in self.lines.values()):
            self.status = "COMPLETED"

    @property
    def packed(self) -> bool:
        """Whether a unit has left, or is on a shipment."""
        return any(line.shipped or line.packed for line in self.lines.values())


@dataclass(slots=True)
class Parcel:
    """A shipment of one line that is packed and has not left."""

    part: str
    line: str
    quantity: int
    held: int
    left: bool = False
    void: bool = False
    """Whether its units were canceled before it left."""


@dataclass(slots=True)
class Order:
    """A buyer's order."""

    id: str
    forwards: bool
    """Whether its channel forwards by itself."""
    status: str = "UNSUBMITTED"
    lines: dict[str, Line] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    """The oldest first."""
    parts: dict[str, Part] = field(default_factory=dict)
    parcels: dict[str, Parcel] = field(default_factory=dict)
    estimated: bool = False
    calculated: bool = False
    calculated_total: Decimal = Decimal(0)
    parcels_estimated: int = 0
    fee: Decimal = Decimal(0)
    """What the seller charges beside goods and shipping; taxed."""
    attempts: int = 0
    forwarded: bool = False
    canceled: Decimal = Decimal(0)
    """What the canceled units of an order that opened were sold for."""

    @property
    def subtotal(self) -> Decimal:
        """Of the lines, each rounded."""
        return sum((cents(PRICES[x.product] * x.quantity) for x in self.lines.values()), Decimal(0))

    @property
    def total(self) -> Decimal:
        """With tax by line, one parcel an estimate, and the fee."""
        taxes = (cents(cents(PRICES[x.product] * x.quantity) * TAX) for x in self.lines.values())
        return self.subtotal + sum(taxes, Decimal(0)) + PARCEL * self.parcels_estimated + self.fee_with_tax

    @property
    def fee_with_tax(self) -> Decimal:
        """Due as soon as something has left."""
        return self.fee + cents(self.fee * FEE_TAX)

    def edited(self) -> None:
        """Its lines have changed: what was worked out no longer holds."""
        self.estimated = self.calculated = False

    def worth_of_the_rest(self) -> tuple[Decimal, Decimal]:
        """What the units that have not left were sold for, and how far rounding by supplier order may differ from it."""
        worth, parts = Decimal(0), Decimal(0)
        for id, line in self.lines.items():
            amount = cents(PRICES[line.product] * line.quantity)
            worth += (amount + cents(amount * TAX)) * (line.quantity - line.shipped) / line.quantity
            parts += sum(id in part.lines for part in self.parts.values())
        return worth, 2 * CENT * parts

    def live_parts(self) -> dict[str, Part]:
        """Supplier orders that hold units."""
        return {id: part for id, part in self.parts.items() if part.lines}

    @property
    def shipped(self) -> bool:
        """Whether a unit has left."""
        return any(x.shipped for x in self.lines.values())


@dataclass(slots=True)
class Model:
    """All orders of one life, and what they share."""

    orders: dict[str, Order] = field(default_factory=dict)
    on_hand: dict[str, int] = field(default_factory=lambda: dict(STOCK))

    def allocated(self, product: str) -> int:
        """Units promised and not shipped."""
        return sum(
            line.held
            for order in self.orders.values()
            for part in order.live_parts().values()
            for id, line in part.lines.items()
            if order.lines[id].product == product
        )

    def available(self, product: str) -> int:
        """Units that can still be promised."""
        return self.on_hand[product] - self.allocated(product)

    def balance(self) -> Decimal:
        """Of the gift card."""
        taken = (
            p.due
            for order in self.orders.values()
            for p in order.payments.values()
            if p.kind == "gift" and p.state == "CONFIRMED"
        )
        return GIFT - sum(taken, Decimal(0))

    def points(self) -> int:
        """That are left."""
        return POINTS - sum(p.drawn for o in self.orders.values() for p in o.payments.values() if p.kind == "points")

    def room(self, supplier: str, product: str) -> tuple[int, int]:
        """How many units a supplier can take over: at least, and at most. What an order that is not forwarded holds may come from
        any of them.
        """
        most = least = RECORDS[product].get(supplier, 0)
        for order in self.orders.values():
            held = [
                (part, x.held)
                for part in order.live_parts().values()
                for id, x in part.lines.items()
                if order.lines[id].product == product
            ]
            gone = [
                (order.parts[p.part], p.held) for p in order.parcels.values() if p.left and order.lines[p.line].product == product
            ]
            for part, units in (*held, *gone):
                most -= units if part.supplier == supplier else 0
                least -= units if part.supplier == supplier or not part.supplier else 0
        return max(0, least), most

    def short(self, order: Order) -> bool:
        """Whether its lines need more than is there."""
        wanted: dict[str, int] = {}
        for line in order.lines.values():
            wanted[line.product] = wanted.get(line.product, 0) + line.quantity
        return any(quantity > self.available(product) for product, quantity in wanted.items())

    def refusals(self, order: Order) -> set[str]:
        """Why an attempt to submit must fail; empty when it must succeed."""
        found: set[str] = set()
        if not order.lines:
            found.add("ORDER_EMPTY")
        if not order.calculated:
            found.add("ORDER_NOT_CALCULATED")
        if self.short(order):
            found.add("INSUFFICIENT_INVENTORY")
        if order.calculated:
            payments = order.payments.values()
            found |= payment_model.refusals(payments, order.calculated_total, self.balance(), self.points())
        return found

    def split(self, order: Order, parts: Mapping[str, Part], leaving: str = "") -> None:
        """Takes a new split over; fails when it is no partition of the lines, or promises stock that is not there. Units may only
        have gone where all of a supplier order has, or from the one that they are `leaving`.
        """
        assert quantities(parts.values()) == {id: line.quantity for id, line in order.lines.items()}
        before = {product: self.available(product) for product in STOCK}
        for id, part in order.parts.items():
            moved = part.lines and not parts[id].lines
            kept = {line: parts[id].lines[line].quantity for line in part.lines if line in parts[id].lines}
            assert moved or id == leaving or all(kept[line] >= part.lines[line].quantity for line in part.lines), (
                id,
                part,
                parts[id],
            )
        freed = {
            product: sum(
                line.held
                for p in order.live_parts().values()
                for id, line in p.lines.items()
                if order.lines[id].product == product
            )
            for product in STOCK
        }
        order.parts = dict(parts)
        for product in STOCK:
            assert 0 <= self.available(product) <= before[product] + freed[product], product

    def accept(self, order: Order, parts: Mapping[str, Part]) -> None:
        """The order opened."""
        assert all(line.held == line.quantity for part in parts.values() for line in part.lines.values())
        order.status = "OPEN"
        order.forwarded = order.forwards
        for p in order.payments.values():
            p.confirm()
        self.split(order, parts)

    def cancel(self, order: Order) -> None:
        """Every unit is canceled, every payment undone."""
        if order.status == "OPEN":
            order.canceled = order.calculated_total
            _void_parcels(order)
            for part in order.live_parts().values():
                part.status = "CANCELED"
                for line in part.lines.values():
                    line.canceled, line.held, line.packed = line.quantity, 0, 0
            for line in order.lines.values():
                line.canceled = line.quantity
            for p in order.payments.values():
                p.cancel()
        order.status = "CANCELED"

    def cancel_rest(self, order: Order, canceled: Decimal) -> None:
        """What has not left is canceled, packed units too; `canceled` is what it was sold for, which is no longer due."""
        order.canceled = canceled
        _void_parcels(order)
        for part in order.live_parts().values():
            for id, line in part.lines.items():
                order.lines[id].canceled += line.open
                line.canceled += line.open
                line.held = line.packed = 0
            if part.status in LIVE:
                part.status = "COMPLETED" if any(line.shipped for line in part.lines.values()) else "CANCELED"
        order.status = "COMPLETED"
        payment_model.lower(order.payments, canceled)

    def pack(self, order: Order, part: Part, line_id: str, quantity: int) -> int:
        """Puts units on a parcel; returns for how many stock is promised."""
        line = part.lines[line_id]
        before = sum(p.held for p in order.parcels.values() if not p.left and order.parts[p.part] is part and p.line == line_id)
        held = min(quantity, line.held - before)
        line.packed += quantity
        if part.status == "OPEN":
            part.status = "ACCEPTED"
        return held

    def leave(self, order: Order, parcel: Parcel) -> None:
        """A parcel leaves: its units are shipped, their stock is gone, and the last one completes the order."""
        part = order.parts[parcel.part]
        line, mine = part.lines[parcel.line], order.lines[parcel.line]
        line.packed -= parcel.quantity
        line.shipped += parcel.quantity
        line.held -= parcel.held
        mine.shipped += parcel.quantity
        self.on_hand[mine.product] -= parcel.held
        parcel.left = True
        part.settle()
        if all(x.quantity == x.shipped + x.canceled for x in order.lines.values()):
            order.status = "COMPLETED"


def _void_parcels(order: Order) -> None:
    for parcel in order.parcels.values():
        parcel.void = not parcel.left


def quantities(parts: Iterable[Part]) -> dict[str, int]:
    """Units by line, over all supplier orders."""
    found: dict[str, int] = {}
    for part in parts:
        for id, line in part.lines.items():
            found[id] = found.get(id, 0) + line.quantity
    return found
