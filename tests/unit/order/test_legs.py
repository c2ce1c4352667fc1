"""Every leg of a submit is tried; outside money is asked only after all of them hold."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from libs.errors import Kind, WaybillError, invalid
from services.order.application.peers import Problem
from services.order.application.submission.legs.leg import Asked, Leg, LegTry, Trial
from services.order.application.submission.legs.registry import legs_of_submit
from services.order.application.submission.try_submission import Tried, TrySubmission
from services.order.domain.building.products import Article
from services.order.domain.checkout.worksheet import Worksheet
from services.order.domain.policy import Policy
from services.order.domain.submission.readiness import Facts
from tests.unit.order.builders import NOW, line, order

FACTS = Facts(True, True, Policy(), {"anvil": Article(line().product)})
TRIAL = Trial(order(), (line(),), Worksheet(), 1, NOW, NOW + timedelta(seconds=60), False, facts=FACTS)
SHORT = Problem("SHORT", "stock", "line_items[l1]", "too few")


class Fake(Leg):
    """Answers or raises what it was made with."""

    def __init__(self, first: LegTry | Exception, second: LegTry | None = None, context: str = "elsewhere") -> None:
        self.context = context  # type: ignore[misc]
        self.first, self.second = first, second
        self.asked_again = 0

    async def try_(self, trial: Trial, asked: Awaitable[Asked]) -> LegTry:
        if isinstance(self.first, Exception):
            raise self.first
        await asked
        return self.first

    async def authorize(self, trial: Trial) -> LegTry:
        self.asked_again += 1
        return self.second or LegTry()


class Elsewhere:
    """Directory and catalog; the first fails, when it is asked at all."""

    def __init__(self) -> None:
        self.asked = 0

    async def ordering_context(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        raise WaybillError(Kind.UNAVAILABLE, "X", "away")

    async def products(self, *_: Any) -> Any:
        return {}


async def tried(*legs: Leg, trial: Trial = TRIAL, elsewhere: Any = None) -> Tried:
    return await TrySubmission(elsewhere or Elsewhere(), elsewhere or Elsewhere(), legs)(trial)


async def test_reasons_of_all_legs_come_in_the_order_of_the_legs() -> None:
    first, second = Fake(LegTry.of([SHORT])), Fake(LegTry.of([replace(SHORT, reason="POOR")]))
    assert [r.reason for r in (await tried(first, Fake(LegTry()), second)).reasons] == ["SHORT", "POOR"]


async def test_nobody_outside_is_asked_while_another_leg_does_not_hold() -> None:
    card = Fake(LegTry(needs_authorization=True))
    assert (await tried(card, Fake(LegTry.of([SHORT])))).reasons
    assert card.asked_again == 0


async def test_nobody_outside_is_asked_to_validate() -> None:
    card = Fake(LegTry(needs_authorization=True))
    assert (await tried(card, trial=replace(TRIAL, validate_only=True))) == Tried((), facts=FACTS)
    assert card.asked_again == 0


async def test_every_leg_that_needs_it_is_authorized_once_all_hold() -> None:
    silent, prompt = (Fake(LegTry(needs_authorization=True), LegTry(pending=pending)) for pending in (True, False))
    other = Fake(LegTry())
    assert (await tried(silent, other, prompt)) == Tried((), True, FACTS)
    assert [leg.asked_again for leg in (silent, other, prompt)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("error", "context", "reason"),
    [
        (WaybillError(Kind.UNAVAILABLE, "X", "away"), "stock", "DEPENDENCY_UNAVAILABLE"),
        (invalid("quantity", "FIELD_INVALID", "odd"), "stock", "FIELD_INVALID"),
        (WaybillError(Kind.PRECONDITION, "CLOSED", "closed"), "stock", "CLOSED"),
        (KeyError("secret"), "stock", "SUBMIT_FAILED"),
        (invalid("secret", "FIELD_INVALID", "no caller sent it"), "order", "SUBMIT_FAILED"),
    ],
)
async def test_a_leg_that_raises_does_not_hold(error: Exception, context: str, reason: str) -> None:
    (found,) = (await tried(Fake(error, context=context))).reasons
    assert (found.reason, found.context) == (reason, context)
    assert "secret" not in found.description


async def test_directory_and_catalog_are_asked_once_for_all_legs_and_their_silence_is_one_reason() -> None:
    elsewhere = Elsewhere()
    peers: Any = SimpleNamespace(shipping=None, pricing=None, fulfillment=None, payments=None)
    readiness = legs_of_submit(peers)[0]
    found = await tried(readiness, Fake(LegTry()), trial=replace(TRIAL, facts=None), elsewhere=elsewhere)
    assert [(r.reason, r.context) for r in found.reasons] == [("DEPENDENCY_UNAVAILABLE", "directory")]
    assert elsewhere.asked == 1


async def test_a_leg_that_only_looks_has_nothing_to_confirm_or_release() -> None:
    leg = Fake(LegTry())
    confirmed = await leg.confirm(TRIAL)
    assert (confirmed.supplier_orders, confirmed.shipments) == ((), ())
    await leg.release(TRIAL.order.key, 1)
    assert leg.asked_again == 0
