"""What a customer looks for in a shop, and what is shown of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from libs.query.request import Page
from services.catalog.domain.choices.variants import NOTHING, Configured
from services.catalog.domain.choices.variants import Row as Variant
from services.catalog.domain.products.facets import FacetCount


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: all of it at once. None is anything, an empty set is nothing."""

    catalogs: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    words: frozenset[str] = frozenset()
    """Each begins a word of the product."""
    facets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By facet the values of which the product has one."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Units that can be had, never negative, whether more may be ordered, how many (None for any number), and when they come."""

    available: int
    can_exceed: bool
    backorderable: int | None = 0
    expected_time: datetime | None = None


class Article(Protocol):
    """A product, as far as a shop looks at it."""

    @property
    def id(self) -> str: ...
    @property
    def track_inventory(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sought:
    """A page of products and, of all that are looked for, how many have which values of facets."""

    page: Page[Article]
    counts: Sequence[FacetCount]


@dataclass(frozen=True, slots=True)
class Offered:
    """A product with its price and what can be had of it. Without a price it cannot be ordered; without stock its units are not
    counted."""

    product: Article
    price: object | None
    stock: Availability | None
    configured: Configured = NOTHING
    variants: Sequence[Variant] = ()
    """Active ones, where they are all shown."""
    variant_prices: Sequence[object] = ()
    """Prices of those of them that have their own."""
