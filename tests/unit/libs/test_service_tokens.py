from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from libs.auth import PartyKind, Principal, ServiceTokens, SharedSecret
from libs.auth.service_tokens import HEARD_FOR, LIFETIME, SKEW, audience
from libs.errors import Kind, WaybillError
from services import roles
from tests.support import keys

SECRET = "a-secret-that-only-this-test-has"
ANNA = Principal("anna", "acme", PartyKind.BUYER, frozenset({roles.SHOPPER, roles.ME_ADDRESS_ADMIN}), "shop")
INVALID = (Kind.UNAUTHENTICATED, "TOKEN_INVALID")
EXPIRED = (Kind.UNAUTHENTICATED, "TOKEN_EXPIRED")
BEGIN = 1_772_366_400.0


class Time:
    """What passes for every machine; the clocks of two machines show it with a difference."""

    passed = 0.0

    def tokens(self, ahead: float = 0.0) -> ServiceTokens:
        """Those of a machine whose clock is so many seconds ahead."""
        return ServiceTokens(SharedSecret(SECRET), now=lambda: BEGIN + ahead + self.passed, elapsed=lambda: self.passed)


def refusal(tokens: ServiceTokens, token: str, context: str = "pricing") -> tuple[Kind, str]:
    with pytest.raises(WaybillError) as caught:
        tokens.verify(token, context)
    return caught.value.kind, caught.value.reason


@pytest.mark.parametrize("acting", [None, ANNA])
def test_a_service_token_carries_the_service_and_whom_it_acts_for(acting: Principal | None) -> None:
    tokens = ServiceTokens(SharedSecret(SECRET))
    service, who = tokens.verify(tokens.issue("order", acting, "pricing"), "pricing")
    assert service == "order"
    if acting is None:
        assert who is None
    else:
        assert who is not None
        assert who.service == "order"
        assert (who.user_id, who.party_id, who.roles) == (acting.user_id, acting.party_id, acting.roles)


def test_a_service_token_is_refused_by_every_service_but_the_one_that_it_is_for() -> None:
    tokens = ServiceTokens(SharedSecret(SECRET))
    token = tokens.issue("order", ANNA, "pricing")
    assert refusal(tokens, token, "payment") == INVALID
    assert tokens.verify(token, "pricing")[0] == "order"
    assert refusal(tokens, token, "payment") == INVALID


def test_a_service_token_is_reused_per_service_principal_and_called_service() -> None:
    tokens = ServiceTokens(SharedSecret(SECRET))
    assert tokens.issue("order", ANNA, "pricing") == tokens.issue("order", ANNA, "pricing")
    calls = [("order", ANNA, "pricing"), ("order", None, "pricing"), ("payment", ANNA, "pricing"), ("order", ANNA, "payment")]
    assert len({tokens.issue(*call) for call in calls}) == 4


def test_a_service_token_lives_twenty_seconds_and_is_reused_for_half_of_them() -> None:
    time = Time()
    tokens = time.tokens()
    token = tokens.issue("order", None, "pricing")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == LIFETIME == 20
    assert claims["aud"] == "waybill-services/pricing"
    time.passed = 9.9
    assert tokens.issue("order", None, "pricing") == token
    time.passed = 10
    assert tokens.issue("order", None, "pricing") != token


@pytest.mark.parametrize("ahead", [-SKEW, -30, 0, 30, SKEW - 1])
def test_a_token_ends_after_its_life_by_the_clock_of_who_made_it_whatever_the_verifiers_clock_shows(ahead: float) -> None:
    time = Time()
    near, far = time.tokens(), time.tokens(ahead)
    token = near.issue("order", ANNA, "pricing")
    assert far.verify(token, "pricing")[0] == "order"
    time.passed = LIFETIME - 0.1
    assert far.verify(token, "pricing")[0] == "order"
    time.passed = LIFETIME
    assert refusal(far, token) == EXPIRED


@pytest.mark.parametrize("ahead", [-SKEW, 0, SKEW - 1])
def test_a_token_ends_at_a_verifier_that_has_seen_a_later_one_of_its_maker_though_never_this_one(ahead: float) -> None:
    time = Time()
    near, far = time.tokens(), time.tokens(ahead)
    stolen = near.issue("order", None, "pricing")
    time.passed = LIFETIME
    far.verify(near.issue("payment", None, "pricing"), "pricing")
    assert refusal(far, stolen) == EXPIRED


def test_of_a_maker_that_was_not_heard_of_a_token_holds_no_longer_than_clocks_may_differ() -> None:
    time = Time()
    token = time.tokens().issue("order", None, "pricing")
    time.passed = LIFETIME + SKEW - 0.1
    assert time.tokens().verify(token, "pricing")[0] == "order"
    time.passed = LIFETIME + SKEW
    assert refusal(time.tokens(), token) == EXPIRED


def test_clocks_that_differ_by_more_than_a_minute_are_not_served() -> None:
    time = Time()
    token = time.tokens(SKEW + 1).issue("order", None, "pricing")
    assert refusal(time.tokens(), token) == EXPIRED
    assert refusal(time.tokens(2 * SKEW + 1 + LIFETIME), token) == EXPIRED


def test_calls_go_on_while_the_clock_of_a_caller_is_set_back_or_forth() -> None:
    time, shifts = Time(), [0.0]
    near = ServiceTokens(SharedSecret(SECRET), now=lambda: BEGIN + shifts[-1] + time.passed, elapsed=lambda: time.passed)
    far = time.tokens()
    for shift in (0.0, 50.0, -50.0, 20.0, 0.0):
        shifts.append(shift)
        time.passed += LIFETIME
        assert far.verify(near.issue("order", None, "pricing"), "pricing")[0] == "order"


def test_a_maker_whose_clock_went_slow_while_it_was_silent_is_believed_again() -> None:
    time, lost = Time(), 0.0
    near = ServiceTokens(SharedSecret(SECRET), now=lambda: BEGIN - lost + time.passed, elapsed=lambda: time.passed)
    far = time.tokens()
    far.verify(near.issue("order", None, "pricing"), "pricing")
    while time.passed <= HEARD_FOR:
        time.passed, lost = time.passed + LIFETIME, lost + 0.9
        near.issue("order", None, "payment")
    assert lost > LIFETIME
    assert far.verify(near.issue("order", None, "pricing"), "pricing")[0] == "order"


@pytest.mark.parametrize(
    ("secret", "changes", "refused"),
    [
        ("another-secret-than-what-it-has!", {}, INVALID),
        (SECRET, {"aud": "waybill"}, INVALID),
        (SECRET, {"aud": "waybill-services"}, INVALID),
        (SECRET, {"aud": audience("payment")}, INVALID),
        (SECRET, {"aud": None}, INVALID),
        (SECRET, {"exp": 1}, EXPIRED),
        (SECRET, {"exp": None}, INVALID),
        (SECRET, {"exp": "soon"}, INVALID),
        (SECRET, {"exp": float("nan")}, EXPIRED),
        (SECRET, {"iat": float("inf")}, EXPIRED),
        (SECRET, {"iat": None}, INVALID),
        (SECRET, {"iss": None}, INVALID),
        (SECRET, {"run": None}, INVALID),
        (SECRET, {"act": {"sub": "x"}}, INVALID),
        (SECRET, {"act": 7}, INVALID),
    ],
)
def test_a_forged_service_token_is_refused(secret: str, changes: dict[str, Any], refused: tuple[Kind, str]) -> None:
    now = datetime.now(UTC).timestamp()
    base = {"iss": "order", "aud": audience("pricing"), "iat": now, "exp": now + 20, "run": "x"}
    good = jwt.encode(base, SECRET, algorithm="HS256")
    assert ServiceTokens(SharedSecret(SECRET)).verify(good, "pricing")[0] == "order"
    claims = {key: value for key, value in {**base, **changes}.items() if value is not None}
    assert refusal(ServiceTokens(SharedSecret(SECRET)), jwt.encode(claims, secret, algorithm="HS256")) == refused


def test_an_unsigned_service_token_is_refused() -> None:
    now = datetime.now(UTC).timestamp()
    claims = {"iss": "order", "aud": audience("pricing"), "iat": now, "exp": now + 20, "run": "x"}
    assert refusal(ServiceTokens(SharedSecret(SECRET)), jwt.encode(claims, None, algorithm="none")) == INVALID


def test_a_users_token_is_no_service_token() -> None:
    token = keys.signer("k1").issue(ANNA, timedelta(hours=1), datetime.now(UTC))
    assert refusal(ServiceTokens(SharedSecret(SECRET)), token) == INVALID


def test_who_acts_in_the_place_of_a_user_is_a_claim_and_nobody_is_none() -> None:
    acting = replace(ANNA, impersonator_id="sam")
    assert (acting.claims()["imp"], "imp" in ANNA.claims()) == ("sam", False)
    assert Principal.of_claims(acting.claims()) == acting != ANNA == Principal.of_claims(ANNA.claims())
