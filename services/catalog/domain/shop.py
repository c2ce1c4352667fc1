"""What a customer looks for in a shop, and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: all of it at once. None is anything, an empty set is nothing."""

    catalogs: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    words: frozenset[str] = frozenset()
    """Each begins a word of the product."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Units that can be had, never negative, and whether more may be ordered."""

    available: int
    can_exceed: bool


class Article(Protocol):
    """A product, as far as a shop looks at it."""

    @property
    def id(self) -> str: ...
    @property
    def track_inventory(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Offered:
    """A product with its price and what can be had of it. Without a price it cannot be ordered; without stock its units are not
    counted."""

    product: Article
    price: object | None
    stock: Availability | None
