"""The standard methods, as those who answer calls see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from libs.errors import Violations
from libs.query.request import Page

Work = TypeVar("Work")
Work_co = TypeVar("Work_co", covariant=True)
Items = Sequence[tuple[str, dict[str, Any]]]
"""(field path, values) of every item."""
Guard = Callable[[Work, Violations, Items], Awaitable[None]]
"""Checks that need the database: (the context's stores in the transaction, violations, items)."""
Then = Callable[[Work, list[dict[str, Any]]], Awaitable[None]]
"""What else happens in the transaction that stores these rows."""


class Methods(Protocol[Work_co]):
    """The standard methods of one resource. What the caller may not see is NOT_FOUND, and absent from lists."""

    async def create(
        self,
        request: Any,
        messages: Sequence[Any],
        where: str,
        *,
        guard: Guard[Work_co] | None = None,
        before: Violations | None = None,
        then: Then[Work_co] | None = None,
    ) -> list[Any]:
        """Creates all or none. `where` is the request's field; a list field gets indices. `before` is what is wrong
        so far; `then` runs in the same transaction."""
        ...

    async def get(self, id: str) -> Any:
        """Reads one."""
        ...

    async def batch_get(self, ids: Sequence[str]) -> tuple[list[Any], list[str]]:
        """Reads many in one statement; ids that are not found come second."""
        ...

    async def list(self, request: Any) -> Page[Any]:
        """A page."""
        ...

    async def update(
        self,
        request: Any,
        message: Any,
        where: str,
        *,
        guard: Guard[Work_co] | None = None,
        before: Violations | None = None,
        then: Then[Work_co] | None = None,
    ) -> Any:
        """Changes the fields of the mask; xp is merged; a stale etag is ABORTED. `before` is what is wrong so far."""
        ...

    async def delete(self, request: Any, id: str, *, guard: Guard[Work_co] | None = None) -> None:
        """Deletes one; a repeat of the same request is no error. A stale etag is ABORTED, what is used RESOURCE_IN_USE.
        The id stays taken."""
        ...
