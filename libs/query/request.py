"""What a list is asked for, and what it answers. Knows no database, so that ports can name it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

DEFAULT_PAGE = 50
MAX_PAGE = 1_000
MAX_SKIP = 10_000
"""Rows that a page leaves out first: the database reads them all the same."""
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The arguments that all lists share, as the caller gave them; whoever reads the page checks them."""

    page_size: int = 0
    page_token: str = ""
    filter: str = ""
    order_by: str = ""
    skip: int = 0
    """Rows to leave out first: from the start, or from where the page token goes on (AIP-158)."""
    include_total: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """One page of a list. `total_size` counts the whole list, where that was asked for."""

    items: Sequence[T_co]
    next_page_token: str
    total_size: int | None = None

    def of(self, items: Sequence[U]) -> Page[U]:
        """The same page with what its items have become."""
        return Page(items, self.next_page_token, self.total_size)

    def map(self, become: Callable[[T_co], U]) -> Page[U]:
        """The same page with each item as it becomes."""
        return self.of([become(item) for item in self.items])


def page_request(message: Any) -> PageRequest:
    """The arguments of a list's request; some lists have one order, no filter, or no count."""
    return PageRequest(
        page_size=message.page_size,
        page_token=message.page_token,
        filter=getattr(message, "filter", ""),
        order_by=getattr(message, "order_by", ""),
        skip=message.skip,
        include_total=getattr(message, "include_total", False),
    )
