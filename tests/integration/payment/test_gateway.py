"""Gateways themselves: answers by key, answers that come after a void, and none at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.payment.adapters.gateways.registry import GATEWAYS, Surroundings
from services.payment.adapters.gateways.testing import TestGateway
from services.payment.application.gateway.ports import Answer, Verdict
from services.payment.domain.payments.types import CREDIT_CARD
from tests.integration.payment.world import World, by_card, held_at_gateway, later, running


async def test_the_test_gateway_answers_by_key(world: World) -> None:
    gateway = TestGateway(world.database)
    assert (await gateway.get_by_key("k")).verdict is Verdict.NOTHING
    first = await gateway.authorize("k", "tok_approve", 10, "USD")
    assert await gateway.authorize("k", "tok_approve", 10, "USD") == first
    assert (await gateway.capture("c", "k", 11, "USD")).message == "too_much"
    assert (await gateway.capture("d", "unknown", 1, "USD")).message == "no_authorization"
    assert (await gateway.refund("r", "k", 1, "USD")).message == "too_much"
    assert (await gateway.void("k")).verdict is Verdict.APPROVED
    assert (await gateway.authorize("k", "tok_approve", 10, "USD")).verdict is Verdict.DECLINED


class Forgetful(TestGateway):
    """Has no way to refuse an authorization in advance: it says that nothing is held, and approves afterwards."""

    name = "forgetful"

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        self.before_authorize: Callable[[], Awaitable[Any]] | None = None

    async def authorize(self, key: str, token: str, amount: int, currency: str) -> Answer:
        if self.before_authorize is not None:
            await self.before_authorize()
        return await super().authorize(key, token, amount, currency)

    async def void(self, key: str) -> Answer:
        if (await self.get_by_key(key)).verdict is Verdict.NOTHING:
            return Answer(Verdict.NOTHING)
        return await super().void(key)


async def test_a_provider_that_approves_after_the_void_is_voided_again(databases, monkeypatch) -> None:
    made: list[Forgetful] = []

    def forgetful(made_in: Surroundings) -> Forgetful:
        made.append(Forgetful(made_in.database))
        return made[0]

    monkeypatch.setitem(GATEWAYS, (CREDIT_CARD, "forgetful"), forgetful)
    async with running(databases, credit_card_gateway="forgetful") as world:
        await world.card()
        order = world.order(100)
        await order.add(by_card("p1", "tok_approve"))
        await order.reserve()
        made[0].before_authorize = order.release
        await order.authorize()
        assert await order.states() == ["VOID_PENDING"]
        assert await held_at_gateway(world) == ["tok_approve"]
        await later(world)
        assert await order.states() == ["OPEN"]
        assert await held_at_gateway(world) == []


async def test_a_gateway_that_breaks_is_a_gateway_without_an_answer(databases, monkeypatch) -> None:
    class Broken(TestGateway):
        async def authorize(self, key: str, token: str, amount: int, currency: str) -> Answer:
            raise RuntimeError(f"cannot parse {token}")

    monkeypatch.setitem(GATEWAYS, (CREDIT_CARD, "broken"), lambda made_in: Broken(made_in.database))
    async with running(databases, credit_card_gateway="broken") as world:
        await world.card()
        order = world.order(100)
        await order.add(by_card("p1", "tok_approve"))
        await order.reserve()
        assert (await order.authorize()).pending
        await order.release()


async def test_an_unknown_gateway_does_not_start(databases) -> None:
    why = "there is no gateway 'nowhere' for payments of type 'credit_card': one of test"
    with pytest.raises(ValueError, match=why):
        async with running(databases, credit_card_gateway="nowhere"):
            pass


async def test_a_gateway_is_closed_with_the_service_before_its_database(databases, monkeypatch) -> None:
    closed: list[str] = []

    class Held(TestGateway):
        async def close(self) -> None:
            assert (await self.get_by_key("k")).verdict is Verdict.NOTHING
            closed.append(self.name)

    monkeypatch.setitem(GATEWAYS, (CREDIT_CARD, "held"), lambda made_in: Held(made_in.database))
    async with running(databases, credit_card_gateway="held"):
        assert closed == []
    assert closed == ["test"]
