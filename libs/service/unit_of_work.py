"""What a use case opens: transactions that carry the stores of its context."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

T = TypeVar("T")
Work_co = TypeVar("Work_co", covariant=True)
"""The stores of a context, bound to one transaction; the context's ports name them."""


class UnitsOfWork(Protocol[Work_co]):
    """Opens transactions of one database. What a block stored is durable when it ends, and undone when it raises."""

    def transaction(self) -> AbstractAsyncContextManager[Work_co]:
        """One that writes. Raises ABORTED when the database undid it because of others."""

    def reading(self, snapshot: bool = False) -> AbstractAsyncContextManager[Work_co]:
        """One that only reads; with `snapshot` everything is of one moment."""

    async def retrying(self, work: Callable[[Work_co], Awaitable[T]]) -> T:
        """Runs `work` in one that writes, and again as a whole when the database undid it because of others."""
        ...
