"""What a leg of an attempt to submit is: one thing that has to hold, from its try to its end."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.order.application.records import PaymentDocument, Reports
from services.order.domain.checkout.worksheet import LineCost, Worksheet
from services.order.domain.model import Line, Order, Problem
from services.order.domain.submission.readiness import Facts

OWN = "order"
"""The context of legs that ask nobody."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried, and confirmed if all of it holds."""

    order: Order
    lines: tuple[Line, ...]
    worksheet: Worksheet
    attempt: int
    begin_time: datetime
    """When the attempt began: what others promised must still be promised then."""
    deadline: datetime
    validate_only: bool
    new_payments: tuple[PaymentDocument, ...] = ()
    facts: Facts | None = None
    """Given when directory and catalog have just been asked."""
    quote_is_fresh: bool = False
    """True when shipping has just estimated and pricing calculated: then they need not confirm what they said."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What directory and catalog say, or why they could not say it."""

    facts: Facts | None
    reasons: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class LegTry:
    """What the try of one leg says: every reason why it does not hold, none when it does."""

    reasons: tuple[Problem, ...] = ()
    needs_authorization: bool = False
    """Whether it holds only once somebody outside has agreed, in the second wave."""
    pending: bool = False
    """Whether somebody outside has not answered yet; the attempt stays undecided."""
    costs: tuple[LineCost, ...] | None = None
    """What suppliers are paid by now; None where nobody was asked."""

    @classmethod
    def of(cls, problems: list[Problem]) -> LegTry:
        """From what another context answers."""
        return cls(tuple(problems))


class Leg(ABC):
    """One leg. Every step of it is idempotent under the order and the number of the attempt.

    A leg that only looks leaves confirm and release as they are. One that reserves under a try, confirms or releases it.
    """

    context: ClassVar[str]
    """Whom it asks, named by the reasons when that fails; `OWN` for a leg that asks nobody: its errors are defects."""

    @abstractmethod
    async def try_(self, trial: Trial, asked: Awaitable[Asked]) -> LegTry:
        """First wave, in parallel with all other legs. `validate_only` leaves nothing behind. May raise."""

    async def authorize(self, trial: Trial) -> LegTry:
        """Second wave, only for a leg that needs it and only after every leg holds. May raise."""
        return LegTry()

    async def confirm(self, trial: Trial) -> Reports:
        """Makes permanent what the try reserved; what fulfillment reports with it. Repeated until it succeeds."""
        return Reports()

    async def release(self, key: uuid.UUID, attempt: int) -> None:
        """Gives back what the try may have reserved, also when it never came to a try. Repeated until it succeeds."""
        return
