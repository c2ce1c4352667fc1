"""What a list is asked for. Knows no database, so that ports can name it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The arguments that all lists share, as the caller gave them; whoever reads the page checks them."""

    page_size: int = 0
    page_token: str = ""
    filter: str = ""
    order_by: str = ""
