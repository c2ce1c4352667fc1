"""The tries of a submit: first what we own, in parallel; then outside money, only if all of the first hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, replace

from libs.errors import Kind, WaybillError
from libs.obs import get_logger
from services.order.application.building.build_order import facts_of
from services.order.application.peers import Catalog, Directory, Wanted
from services.order.application.submission.legs.leg import OWN, Asked, Leg, LegTry, Trial
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.model import CanceledAmounts, Problem
from services.order.domain.submission.readiness import Facts
from waybill.order.v1 import reasons

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
    worksheet: Worksheet | None = None
    """The order's with the costs that suppliers have by now; None where they are those of the calculation."""


class TrySubmission:
    """Tries every leg. What directory and catalog say is asked once, for all of them."""

    def __init__(self, directory: Directory, catalog: Catalog, legs: Sequence[Leg]) -> None:
        self._directory = directory
        self._catalog = catalog
        self._legs = legs

    async def __call__(self, trial: Trial) -> Tried:
        """All reasons of everything, not only the first."""
        asked = asyncio.ensure_future(self._ask(trial))
        tried = await asyncio.gather(*(_guarded(leg.try_(trial, asked), leg.context) for leg in self._legs))
        facts, found = (await asked).facts, _reasons(tried)
        if found or trial.validate_only:
            return Tried(found, facts=facts)
        worksheet = _renewed(trial.worksheet, tried)
        outside = [leg for leg, answer in zip(self._legs, tried, strict=True) if answer.needs_authorization]
        if not outside:
            return Tried((), facts=facts, worksheet=worksheet)
        authorized = await asyncio.gather(*(_guarded(leg.authorize(trial), leg.context) for leg in outside))
        return Tried(_reasons(authorized), any(answer.pending for answer in authorized), facts, worksheet=worksheet)

    async def _ask(self, trial: Trial) -> Asked:
        if trial.facts is not None:
            return Asked(trial.facts)
        try:
            return Asked(await self._facts(trial))
        except Exception as error:
            return Asked(None, tuple(problems_of(error, "directory")))

    async def _facts(self, trial: Trial) -> Facts:
        """What directory and catalog say now. The policy is that of the order's own channel, whoever submits it."""
        order, lines = trial.order, trial.lines
        named = {order.shipping_address_id, order.billing_address_id, *(line.shipping_address_id for line in lines)} - {""}
        context, products = await asyncio.gather(
            self._directory.ordering_context(
                order.buyer_id,
                order.user.id,
                order.client_id,
                named,
                order.guest,
                cost_centers={line.cost_center for line in lines},
            ),
            self._catalog.products({Wanted.of(line) for line in lines}, order.buyer_id, order.user.id),
        )
        return facts_of(context, products)


def _renewed(worksheet: Worksheet, answers: Iterable[LegTry]) -> Worksheet | None:
    costs = next((answer.costs for answer in answers if answer.costs is not None), worksheet.costs)
    return None if costs == worksheet.costs else replace(worksheet, costs=costs)


def _reasons(answers: Iterable[LegTry]) -> tuple[Problem, ...]:
    return tuple(reason for answer in answers for reason in answer.reasons)


async def _guarded(step: Awaitable[LegTry], context: str) -> LegTry:
    """The answer, or the error as reasons. No answer is no answer: the attempt is refused and released.

    So it is when a step fails by a defect of ours: it would fail at every repeat, and hold what the other steps hold.
    """
    try:
        return await step
    except Exception as error:
        return LegTry.of(problems_of(error, context))


def problems_of(error: Exception, context: str) -> list[Problem]:
    """An error of a step as problems of the context that was asked. Only others answer by errors; one of our own is a defect."""
    if context == OWN or not isinstance(error, WaybillError):
        _LOG.error("step failed", context=context, exc_info=error)
        return [Problem(FAILED, context, context, "could not be judged, by a defect of the order service that it has logged")]
    if error.kind is Kind.UNAVAILABLE:
        return [Problem(reasons.DEPENDENCY_UNAVAILABLE, context, context, f"{context} did not answer", True)]
    if error.fields:
        return [Problem(f.reason, context, f.field, f.description) for f in error.fields]
    return [Problem(error.reason, context, context, error.message)]
