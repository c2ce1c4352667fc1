"""ListSubmissions and DriveSubmission: what operators do about attempts that are not at their end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from libs.errors import Kind, WaybillError, missing
from libs.query.request import Page, PageRequest
from libs.service.unit_of_work import UnitsOfWork
from services.order.application.records import Attempt


@dataclass(frozen=True, slots=True)
class OrderAttempt:
    """An attempt with the public names of its order."""

    order_id: str
    buyer_id: str
    attempt: Attempt


class SubmissionQueries(Protocol):
    """Attempts by the public ids of their orders."""

    async def page(self, query: PageRequest) -> Page[OrderAttempt]: ...
    async def find(self, order_id: str, number: int) -> OrderAttempt | None:
        """One attempt of an order, the newest when `number` is 0."""


class AttemptDriver(Protocol):
    """Drives attempts of one kind to their end."""

    async def run(self, attempt: Attempt) -> object:
        """As far as it goes now; safe to be run by several at once."""


class OperateSubmissions:
    """For operators; whether the caller is one has been checked."""

    def __init__(self, attempts: UnitsOfWork[SubmissionQueries], drivers: Mapping[str, AttemptDriver]) -> None:
        """`drivers`: by the kind of attempt."""
        self._attempts = attempts
        self._drivers = drivers

    async def list(self, query: PageRequest) -> Page[OrderAttempt]:
        """A page and the token of the next."""
        async with self._attempts.reading() as attempts:
            return await attempts.page(query)

    async def drive(self, order_id: str, number: int) -> OrderAttempt:
        """Drives an attempt as the completer would, and returns it as it has become."""
        found = await self._find(order_id, number)
        if found.attempt.finished:
            return found
        try:
            await self._drivers[found.attempt.kind].run(found.attempt)
        except WaybillError as error:
            if error.kind is not Kind.UNAVAILABLE:
                raise
        return await self._find(order_id, found.attempt.attempt)

    async def _find(self, order_id: str, number: int) -> OrderAttempt:
        async with self._attempts.reading() as attempts:
            found = await attempts.find(order_id, number)
        if found is None:
            raise missing("submission", f"{order_id}/{number}" if number else order_id)
        return found
