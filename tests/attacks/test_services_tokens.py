"""Tokens of services: forged, of another time, for another service, or of a service that has no business with a method."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from google.protobuf.descriptor import MethodDescriptor

from libs.auth import ServiceTokens
from libs.auth.service_tokens import audience
from services.host.contexts import CONTEXTS
from services.host.process.keys.service_keys import service_keys
from services.host.process.settings import HostSettings
from tests.access.callers import Callers, Metadata
from tests.access.cells import rows
from tests.attacks.tally import Tally
from tests.attacks.target import Target, claims_of, part
from tests.support.contracts import services

METHODS = [method for service in services() for method in service.methods]
ROWS = {row.method: row for row in rows()}
REFUSED = ("TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_MISSING")
MINE = "a-secret-that-an-attacker-has-made-up-for-this-very-test"


def path_of(method: MethodDescriptor) -> str:
    """As it is called."""
    return f"/{method.containing_service.full_name}/{method.name}"


def context_of(method: MethodDescriptor) -> str:
    """The service that a method's token must be for."""
    context = method.full_name.split(".")[1]
    return context if context in CONTEXTS else "host"


def inside(target: Target) -> Callers:
    """Calls go to where services are served."""
    callers = target.callers
    return Callers(callers.market, callers.tokens, callers.inside, callers.outside)


async def answers(target: Target, method: MethodDescriptor, token: str) -> str:
    """How it is answered to whoever shows the token."""
    metadata: Metadata = (("waybill-service", token),)
    return (await inside(target).answer(method, metadata))[0]


def forgeries(good: str, context: str) -> dict[str, str]:
    """By somebody who has seen a token of the order service, and not the secret."""
    header, body, signature = good.split(".")
    claims, now = claims_of(good), time.time()
    acting = {"sub": "owner", "party": "seller", "party_kind": "seller", "roles": ["FullAccess"]}

    def made(**changes: Any) -> str:
        return jwt.encode({**claims, **changes}, MINE, algorithm="HS256")

    return {
        "another secret": made(),
        "no secret": f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{body}.",
        "alg none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "whom it acts for": f"{header}.{part({**claims, 'act': acting})}.{signature}",
        "for whom it is": f"{header}.{part({**claims, 'aud': audience(context), 'exp': now + 10**6})}.{signature}",
        "another key under a service's name": jwt.encode(claims, MINE, algorithm="HS384", headers={"kid": "order"}),
        "the name of the service alone": "order",
        "nothing in it": "",
    }


async def test_a_forged_token_of_a_service_opens_nothing(target_market: Target, tally: Tally) -> None:
    taken, tried, before = [], 0, target_market.statements
    for method in METHODS:
        context = context_of(method)
        for what, token in forgeries(target_market.callers.tokens.issue("order", None, context), context).items():
            reason = await answers(target_market, method, token)
            if reason not in REFUSED:
                taken.append((method.full_name, what, reason))
            tried += 1
    assert taken == []
    assert target_market.statements == before, "forged tokens reach the database"
    tally.count("forged tokens of services", tried)


async def test_a_token_for_one_service_opens_no_other(target_market: Target, tally: Tally) -> None:
    taken, tried = [], 0
    for method in METHODS:
        for context in {*CONTEXTS} - {context_of(method)}:
            reason = await answers(target_market, method, target_market.callers.tokens.issue("order", None, context))
            if reason != "TOKEN_INVALID":
                taken.append((method.full_name, context, reason))
            tried += 1
    assert taken == []
    tally.count("tokens of services replayed at another one", tried)


async def test_whoever_has_the_token_of_a_service_does_no_more_than_that_service_has_to(
    target_market: Target, tally: Tally
) -> None:
    taken, tried = [], 0
    for method in METHODS:
        for service in {*CONTEXTS} - ROWS[path_of(method)].services:
            reason = await answers(target_market, method, target_market.callers.tokens.issue(service, None, context_of(method)))
            if reason != "SERVICE_NOT_ADMITTED":
                taken.append((method.full_name, service, reason))
            tried += 1
    assert taken == []
    tally.count("methods that a service has no business with", tried)


async def test_a_token_of_a_service_opens_nothing_where_users_are_served(target_market: Target, tally: Tally) -> None:
    taken = []
    for method in METHODS:
        token = target_market.callers.tokens.issue("order", None, context_of(method))
        for metadata in ((("waybill-service", token),), (("authorization", f"Bearer {token}"),)):
            reason, _ = await target_market.callers.answer(method, metadata)
            if reason != "TOKEN_INVALID":
                taken.append((method.full_name, reason))
    assert taken == []
    tally.count("tokens of services replayed where users are served", 2 * len(METHODS))


@pytest.mark.parametrize("ahead", [-50.0, 0.0, 59.0])
async def test_with_clocks_a_minute_apart_services_are_served_and_their_old_tokens_are_not(
    target_market: Target, tally: Tally, ahead: float
) -> None:
    keys = service_keys(HostSettings(data=target_market.data))
    clock = {"now": time.time() + ahead - 21.0, "elapsed": 1_000.0}
    maker = ServiceTokens(keys, now=lambda: clock["now"], elapsed=lambda: clock["elapsed"])
    method = next(method for method in METHODS if method.name == "GetOrderingContext")
    caught = maker.issue("order", None, context_of(method))
    clock["now"], clock["elapsed"] = clock["now"] + 21.0, clock["elapsed"] + 21.0
    assert await answers(target_market, method, maker.issue("order", None, context_of(method))) not in REFUSED
    # It was caught on its way and has never been seen here; that it has ended says the newer one.
    assert await answers(target_market, method, caught) == "TOKEN_EXPIRED"
    far = ServiceTokens(keys, now=lambda: time.time() + (-120.0 if ahead < 0 else 120.0))
    assert await answers(target_market, method, far.issue("order", None, context_of(method))) == "TOKEN_EXPIRED"
    tally.count("tokens of services by clocks that differ", 2)
