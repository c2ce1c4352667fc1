"""Figures that are shown, each held against what the story has worked out for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from google.type.money_pb2 import Money

from services.host.demo.b2b.terms import CURRENCY
from waybill_client import money, text
from waybill_client.money import decimal


def counted(units: Mapping[str, int]) -> str:
    """Units by product, as far as there are any: `board 4, knife 5`."""
    return ", ".join(f"{product} {units[product]}" for product in sorted(units) if units[product])


@dataclass(slots=True)
class Figures:
    """Collects what was compared."""

    made: list[dict[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def same(self, what: str, shown: Money, expected: Decimal, unit: str = CURRENCY) -> str:
        """The amount in words, with what it should be where it is another."""
        wanted = text(money(expected, unit))
        answer = text(shown) if shown.currency_code else text(money(decimal(shown), unit))
        self.made.append({"what": what, "shown": answer, "expected": wanted})
        if decimal(shown) == expected and shown.currency_code in ("", unit):
            return answer
        self.wrong.append(what)
        return f"[bold red]{answer}, NOT {wanted}[/bold red]"

    def holds(self, what: str, shown: str, expected: str) -> str:
        """The same of what is no amount."""
        self.made.append({"what": what, "shown": shown, "expected": expected})
        if shown == expected:
            return shown
        self.wrong.append(what)
        return f"[bold red]{shown}, NOT {expected}[/bold red]"

    @property
    def right(self) -> bool:
        """Whether every figure was what it had to be."""
        return bool(self.made) and not self.wrong
