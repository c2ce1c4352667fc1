"""Exact money: whole micros (10^-6 of the unit) with a currency. Nothing here is ever a float."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache

from iso4217 import Currency

MICRO = 1_000_000
"""Micros of one unit."""


class MoneyError(ValueError):
    """An amount that cannot be: finer than a micro, or of an unknown currency."""


class CurrencyMismatch(MoneyError):
    """Arithmetic across currencies."""


@cache
def minor_unit(currency: str) -> int:
    """Micros of one minor unit: 10,000 for USD, 1,000,000 for JPY.

    Raises `MoneyError` for a code that ISO 4217 does not have.
    """
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        raise MoneyError(f"{currency!r} is no ISO 4217 currency") from None
    return int(MICRO // 10 ** int(exponent or 0))


def round_half_up(micros: int, unit: int) -> int:
    """The nearest multiple of `unit`; a half goes away from zero."""
    sign = -1 if micros < 0 else 1
    return sign * ((abs(micros) * 2 + unit) // (2 * unit)) * unit


def scale(micros: int, rate: Decimal, unit: int) -> int:
    """`micros` times `rate`, rounded half up to a multiple of `unit`."""
    # In integers: Decimal's context would cut the product to 28 digits.
    over, under = rate.as_integer_ratio()
    return nearest(micros * over, under, unit)


def without(micros: int, rate: Decimal, unit: int) -> int:
    """`micros` divided by 1 + `rate`, rounded half up to a multiple of `unit`: what an amount is without a part of itself that is
    counted on the rest. The rate is zero or more."""
    over, under = rate.as_integer_ratio()
    return nearest(micros * under, over + under, unit)


def contained(micros: int, rate: Decimal, unit: int) -> int:
    """`micros` less `micros` divided by 1 + `rate`, rounded half up to a multiple of `unit`: the part itself."""
    over, under = rate.as_integer_ratio()
    return nearest(micros * over, over + under, unit)


def nearest(over: int, under: int, unit: int = 1) -> int:
    """The multiple of `unit` that is nearest to a fraction, whose denominator is above zero; a half goes away from zero."""
    sign, whole = -1 if over < 0 else 1, under * unit
    return sign * ((abs(over) * 2 + whole) // (2 * whole)) * unit


def apportion(total: int, weights: Sequence[int], unit: int = 1) -> tuple[int, ...]:
    """Splits `total` in proportion to `weights` by largest remainder; the parts add up to it exactly.

    Parts are multiples of `unit` as far as the total is; what is finer goes to the first part with a weight.
    Ties go to the earlier part. Weights are zero or more; all zero are taken as equal.
    """
    if not weights:
        if total:
            raise ValueError("an amount cannot be split between nobody")
        return ()
    if min(weights) < 0:
        raise ValueError("weights are zero or more")
    shares = list(weights) if any(weights) else [1] * len(weights)
    whole = sum(shares)
    sign = -1 if total < 0 else 1
    units, rest = divmod(abs(total), unit)
    parts = [units * w // whole for w in shares]
    left = units - sum(parts)
    order = sorted(range(len(shares)), key=lambda i: (-(units * shares[i] % whole), i))
    for i in order[:left]:
        parts[i] += 1
    amounts = [part * unit for part in parts]
    if rest:
        amounts[next(i for i, w in enumerate(shares) if w)] += rest
    return tuple(sign * amount for amount in amounts)


def share(amount: int, quantity: int, units: int, unit: int = 1) -> int:
    """What the first `units` of a line of `quantity` units cost of its stored `amount`: docs/decisions.md, "Units have no rows".

    `amount * units / quantity`, rounded half up to a multiple of `unit`, and never beyond `amount`. All units together cost
    `amount` exactly. Raises ValueError for more units than the line has.
    """
    if not 0 <= units <= quantity:
        raise ValueError(f"{units} is no number of units of {quantity}")
    if units == quantity:
        return amount
    sign = -1 if amount < 0 else 1
    over, under = abs(amount) * units, quantity * unit
    # An amount that is itself no multiple could be passed by a share that is rounded up.
    return sign * min((over * 2 + under) // (2 * under) * unit, abs(amount))


def between(amount: int, quantity: int, start: int, end: int, unit: int = 1) -> int:
    """What the units from position `start` up to, not including, position `end` cost, as in a slice: `share(end) - share(start)`.

    Positions count from the front of the line, from zero. Slices that lie end to end add up to what they cover, whatever
    the pieces are, and none has another sign than `amount`.
    """
    if start > end:
        raise ValueError(f"{start} to {end} is no slice")
    return share(amount, quantity, end, unit) - share(amount, quantity, start, unit)


def is_minor(micros: int, currency: str) -> bool:
    """Whether the currency has this amount: 0.01 USD and 5 JPY are, 0.001 USD and 0.5 JPY are not."""
    return micros % minor_unit(currency) == 0


def exact_text(micros: int) -> str:
    """The amount as a decimal without trailing zeros, for machines: `12.5`. `parse_micros` reads it back."""
    return f"{Decimal(micros).scaleb(-6).normalize():f}"


def parse_micros(text: str | int | Decimal) -> int:
    """The micros of a decimal amount. Raises `MoneyError` when it is finer than a micro."""
    try:
        over, under = Decimal(text).as_integer_ratio()
    except (InvalidOperation, ValueError, OverflowError):
        raise MoneyError(f"{text!r} is no amount") from None
    micros, rest = divmod(over * MICRO, under)
    if rest:
        raise MoneyError(f"{text} is finer than a millionth")
    return micros


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency."""

    micros: int
    currency: str

    @staticmethod
    def zero(currency: str) -> Money:
        """Nothing, in this currency."""
        return Money(0, currency)

    @staticmethod
    def of(amount: str | int | Decimal, currency: str) -> Money:
        """The exact amount. Raises `MoneyError` when it is finer than a micro."""
        minor_unit(currency)
        return Money(parse_micros(amount), currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.micros + other.micros, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.micros - other.micros, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.micros, self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.micros * times, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.micros < other.micros

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.micros <= other.micros

    def rounded(self) -> Money:
        """Half up to the currency's minor unit."""
        return Money(round_half_up(self.micros, minor_unit(self.currency)), self.currency)

    def times(self, rate: Decimal) -> Money:
        """The exact product, rounded half up to the minor unit."""
        return Money(scale(self.micros, rate, minor_unit(self.currency)), self.currency)

    @property
    def is_zero(self) -> bool:
        """Whether it is nothing."""
        return self.micros == 0

    @property
    def is_negative(self) -> bool:
        """Whether it is below zero."""
        return self.micros < 0


def total(items: Iterable[Money], currency: str) -> Money:
    """The sum; raises `CurrencyMismatch` when an item is in another currency."""
    result = Money.zero(currency)
    for item in items:
        result = result + item
    return result
