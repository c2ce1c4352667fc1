"""What should become of an order's payments, in plain arithmetic: what each stands for, takes, and gives back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
GIFT = Decimal("100.00")
POINTS = 2_000
"""On the account of points."""
POINT = Decimal("0.03")
"""What one is worth."""


@dataclass(slots=True)
class Payment:
    """One way of paying: `gift`, `points`, `card`, `declined`, `promise`, `transfer`. No amount is the rest."""

    kind: str
    amount: Decimal | None
    due: Decimal = ZERO
    state: str = "OPEN"
    resolved: Decimal = ZERO
    """What it stood for when its order opened."""
    captured: Decimal = ZERO
    refunded: Decimal = ZERO
    """Of what was captured."""
    authorized: Decimal = ZERO
    """What is recorded of an authorization outside."""

    @property
    def to_refund(self) -> Decimal:
        """What was taken outside beyond what is due."""
        return max(ZERO, self.captured - self.refunded - self.due)

    @property
    def drawn(self) -> int:
        """Points that it takes: what was debited, less the share of what has gone back."""
        if self.state == "OPEN":
            return 0
        debited, back = points(self.resolved), self.resolved - self.due
        returned = (debited * back / self.resolved).quantize(Decimal(1), ROUND_HALF_UP) if back else ZERO
        return debited - int(returned)

    def confirm(self) -> None:
        """The order opened."""
        self.state, self.resolved = "CONFIRMED", self.due

    def settle(self) -> None:
        """The state that follows from what is due and taken, of one whose captures are taken step by step."""
        if not self.resolved:
            return
        if self.captured:
            over = self.captured == self.refunded and self.due <= self.captured
            self.state = "REFUNDED" if over else "CAPTURED"
        elif not self.due:
            self.state = "VOIDED"

    def cancel(self) -> None:
        """Its order was canceled, of which nothing has left."""
        self.due = ZERO
        if self.kind == "transfer" and self.resolved:
            self.settle()
        else:
            self.state = "VOIDED"


def points(amount: Decimal) -> int:
    """How many pay an amount: whole ones, so that no payment is for nothing."""
    return int((amount / POINT).quantize(Decimal(1), ROUND_CEILING))


def refusals(payments: Iterable[Payment], total: Decimal, balance: Decimal, left: int) -> set[str]:
    """Why these cannot pay a total, with so much on the gift card and so many points; sets what each stands for."""
    payments = list(payments)
    fixed = sum((p.amount for p in payments if p.amount is not None), ZERO)
    rests = [p for p in payments if p.amount is None]
    found: set[str] = set()
    if len(rests) > 1:
        found.add("PAYMENT_REST_REPEATED")
    if fixed > total:
        found.add("PAYMENT_EXCEEDS_TOTAL")
    if fixed < total and not rests:
        found.add("PAYMENTS_BELOW_TOTAL")
    for p in payments:
        p.due = p.amount if p.amount is not None else max(ZERO, total - fixed) if p is rests[0] else ZERO
    wanted = sum((p.due for p in payments if p.kind == "gift"), ZERO)
    if wanted > balance or sum(points(p.due) for p in payments if p.kind == "points") > left:
        found.add("BALANCE_EXCEEDED")
    if any(p.kind == "transfer" and p.authorized < p.due for p in payments):
        found.add("PAYMENT_NOT_ACCEPTED")
    if not found and any(p.kind == "declined" and p.due for p in payments):
        found.add("CARD_DECLINED")
    return found


def capture(payments: Mapping[str, Payment], shipped: Decimal) -> None:
    """Cards take what has shipped and no other payment stands for, the oldest first."""
    cards = [p for p in payments.values() if p.kind == "card"]
    left = shipped - sum((p.due for p in payments.values() if p.kind != "card"), ZERO) - sum((p.captured for p in cards), ZERO)
    for p in cards:
        taken = max(ZERO, min(left, p.due - p.captured))
        p.captured += taken
        left -= taken
        p.settle()


def lower(payments: Mapping[str, Payment], excess: Decimal) -> None:
    """What cards have not taken goes first, the newest card first, then what was not taken outside, promises, accounts, and last
    what was taken outside.
    """
    passes = (("card",), True), (("transfer",), True), (("promise",), False), (("gift", "points"), False), (("transfer",), False)
    for kinds, kept in passes:
        for p in reversed([p for p in payments.values() if p.kind in kinds]):
            cut = min(excess, p.due - min(p.due, p.captured) if kept else p.due)
            if not cut:
                continue
            p.due -= cut
            excess -= cut
            if p.kind in ("card", "transfer"):
                p.settle()
            elif not p.due:
                p.state = "REFUNDED"
    assert not excess
