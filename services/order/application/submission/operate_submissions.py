"""ListSubmissions and DriveSubmission: what operators do about attempts that are not at their end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from libs.errors import Kind, WaybillError, missing
from services.order.application.aftercare.complete_order import ChangeOrder
from services.order.application.ports import Attempt, Transactions, Tx
from services.order.application.submission.attempts import SUBMIT
from services.order.application.submission.submit_order import SubmitOrder


@dataclass(frozen=True, slots=True)
class OrderAttempt:
    """An attempt with the public names of its order."""

    order_id: str
    buyer_id: str
    attempt: Attempt


class SubmissionQueries(Protocol):
    """Attempts by the public ids of their orders."""

    async def page(self, tx: Tx, query: Any) -> tuple[Sequence[OrderAttempt], str]: ...
    async def find(self, tx: Tx, order_id: str, number: int) -> OrderAttempt | None:
        """One attempt of an order, the newest when `number` is 0."""


class OperateSubmissions:
    """For operators; whether the caller is one has been checked."""

    def __init__(self, database: Transactions, queries: SubmissionQueries, submit: SubmitOrder, changes: ChangeOrder) -> None:
        self._db = database
        self._queries = queries
        self._submit = submit
        self._changes = changes

    async def list(self, query: Any) -> tuple[Sequence[OrderAttempt], str]:
        """A page and the token of the next."""
        async with self._db.reading() as tx:
            return await self._queries.page(tx, query)

    async def drive(self, order_id: str, number: int) -> OrderAttempt:
        """Drives an attempt as the completer would, and returns it as it has become."""
        found = await self._find(order_id, number)
        if found.attempt.finished:
            return found
        try:
            await (self._submit if found.attempt.kind == SUBMIT else self._changes).run(found.attempt)
        except WaybillError as error:
            if error.kind is not Kind.UNAVAILABLE:
                raise
        return await self._find(order_id, found.attempt.attempt)

    async def _find(self, order_id: str, number: int) -> OrderAttempt:
        async with self._db.reading() as tx:
            found = await self._queries.find(tx, order_id, number)
        if found is None:
            raise missing("submission", f"{order_id}/{number}" if number else order_id)
        return found
