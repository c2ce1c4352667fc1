"""The tries of a submit: first what we own, in parallel; then outside money, only if all of the first hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from libs.errors import Kind, WaybillError
from libs.obs import get_logger
from services.order.application.building.build_order import facts_of
from services.order.application.peers import PaymentTry, Peers
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.model import CanceledAmounts, Line, Order, Problem
from services.order.domain.submission.readiness import Facts, objections
from waybill.order.v1 import reasons

T = TypeVar("T")
FAILED = reasons.SUBMIT_FAILED
_LOG = get_logger("submit")


@dataclass(frozen=True, slots=True)
class Tried:
    """What the tries said."""

    reasons: tuple[Problem, ...]
    pending: bool = False
    facts: Facts | None = None
    canceled: CanceledAmounts | None = None
    """What a change would cancel of its whole order."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried."""

    order: Order
    lines: tuple[Line, ...]
    worksheet: Worksheet
    attempt: int
    begin_time: datetime
    """When the attempt began: what others promised must still be promised then."""
    deadline: datetime
    validate_only: bool
    new_payments: tuple[str, ...] = ()
    facts: Facts | None = None
    """Given when directory and catalog have just been asked."""
    quote_is_fresh: bool = False
    """True when shipping has just estimated and pricing calculated: then they need not confirm what they said."""


class TrySubmission:
    """Every try is idempotent under (order, attempt, step)."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def __call__(self, trial: Trial) -> Tried:
        """All reasons of everything, not only the first."""
        order = trial.order
        asked = asyncio.ensure_future(self._facts(trial))
        facts, carriage, prices, stock, money = await asyncio.gather(
            asked, self._carriage(trial), self._prices(trial), self._stock(trial), self._money(trial, asked)
        )
        found: list[Problem] = []
        known = facts if isinstance(facts, Facts) else None
        if known is None:
            found += facts if isinstance(facts, list) else []
        else:
            found += objections(order, trial.lines, trial.worksheet, known, trial.begin_time)
        found += [*carriage, *prices, *stock, *money.problems]
        if found or trial.validate_only:
            return Tried(tuple(found), facts=known)
        if money.needs_authorization:
            outside = await self.authorize(trial)
            return Tried(outside.reasons, outside.pending, known)
        return Tried((), facts=known)

    async def authorize(self, trial: Trial) -> Tried:
        """Second wave. A gateway that has not answered leaves the attempt undecided."""
        answer = await _guarded(self._peers.payments.authorize(trial.order.key, trial.attempt, trial.deadline), "payment")
        if isinstance(answer, list):
            return Tried(tuple(answer))
        return Tried(tuple(answer.problems), answer.pending)

    async def _facts(self, trial: Trial) -> Facts | list[Problem]:
        if trial.facts is not None:
            return trial.facts
        order = trial.order
        return await _guarded(self.facts(order, trial.lines), "directory")

    async def facts(self, order: Order, lines: Sequence[Line]) -> Facts:
        """What directory and catalog say now. The policy is that of the order's own channel, whoever submits it."""
        named = {order.shipping_address_id, order.billing_address_id, *(line.shipping_address_id for line in lines)} - {""}
        context, products = await asyncio.gather(
            self._peers.directory.ordering_context(order.buyer_id, order.user.id, order.client_id, named),
            self._peers.catalog.products({line.product_id for line in lines}),
        )
        return facts_of(context, products)

    async def _carriage(self, trial: Trial) -> list[Problem]:
        if trial.quote_is_fresh or not trial.order.estimated:
            return []
        return await _guarded(self._peers.shipping.check(trial.order, trial.worksheet.estimates), "shipping")

    async def _prices(self, trial: Trial) -> list[Problem]:
        if trial.quote_is_fresh or not trial.order.calculated:
            return []
        return await _guarded(
            self._peers.pricing.check_quote(trial.order, trial.lines, trial.worksheet, trial.attempt, trial.deadline), "pricing"
        )

    async def _stock(self, trial: Trial) -> list[Problem]:
        if not trial.lines:
            return []
        plan = trial.worksheet.plan if trial.order.estimated else ()
        return await _guarded(
            self._peers.fulfillment.reserve(trial.order, trial.lines, plan, trial.attempt, trial.deadline, trial.validate_only),
            "fulfillment",
        )

    async def _money(self, trial: Trial, asked: Awaitable[Facts | list[Problem]]) -> PaymentTry:
        if not trial.order.calculated:
            return PaymentTry([])
        facts = await asked
        policy = facts.policy if isinstance(facts, Facts) else trial.order.policy
        answer = await _guarded(
            self._peers.payments.reserve(
                trial.order, trial.attempt, trial.deadline, trial.validate_only, policy.must_cover_total, trial.new_payments
            ),
            "payment",
        )
        return PaymentTry(answer) if isinstance(answer, list) else answer


async def _guarded(step: Awaitable[T], context: str) -> T | list[Problem]:
    """The answer, or the error as problems. No answer is no answer: the attempt is refused and released.

    So it is when a step fails by a defect of ours: it would fail at every repeat, and hold what the other steps hold.
    """
    try:
        return await step
    except WaybillError as error:
        if error.kind is Kind.UNAVAILABLE:
            return [Problem(reasons.DEPENDENCY_UNAVAILABLE, context, context, f"{context} did not answer", True)]
        if error.fields:
            return [Problem(f.reason, context, f.field, f.description) for f in error.fields]
        return [Problem(error.reason, context, context, error.message)]
    except Exception:
        _LOG.exception("step failed", context=context)
        return [Problem(FAILED, context, context, "could not be asked, by a defect of the order service that it has logged")]
