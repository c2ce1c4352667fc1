"""Transactions of a database with a context's stores bound to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from libs.db.database import Database, Tx

T = TypeVar("T")
Work = TypeVar("Work")


class SqlUnitsOfWork(Generic[Work]):
    """Fulfils `libs.service.unit_of_work.UnitsOfWork`; `bind` makes the stores of one transaction."""

    def __init__(self, database: Database, bind: Callable[[Tx], Work]) -> None:
        self._database = database
        self._bind = bind

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Work]:
        """Writes; see the protocol."""
        async with self._database.transaction() as tx:
            yield self._bind(tx)

    @asynccontextmanager
    async def reading(self, snapshot: bool = False) -> AsyncIterator[Work]:
        """Only reads; see the protocol."""
        async with self._database.reading(snapshot) as tx:
            yield self._bind(tx)

    async def retrying(self, work: Callable[[Work], Awaitable[T]]) -> T:
        """Writes, and again when it was undone; see the protocol."""
        return await self._database.retrying(lambda tx: work(self._bind(tx)))
