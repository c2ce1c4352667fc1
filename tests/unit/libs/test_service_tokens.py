from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from libs.auth import PartyKind, Principal, ServiceTokens
from libs.auth.service_tokens import SERVICE_AUDIENCE
from libs.errors import Kind, WaybillError
from services import roles
from tests.support import keys

SECRET = "a-secret-that-only-this-test-has"
ANNA = Principal("anna", "acme", PartyKind.BUYER, frozenset({roles.SHOPPER, roles.ME_ADDRESS_ADMIN}), "shop")
INVALID = (Kind.UNAUTHENTICATED, "TOKEN_INVALID")


@pytest.mark.parametrize("acting", [None, ANNA])
def test_a_service_token_carries_the_service_and_whom_it_acts_for(acting: Principal | None) -> None:
    tokens = ServiceTokens(SECRET)
    service, who = tokens.verify(tokens.issue("order", acting))
    assert service == "order"
    if acting is None:
        assert who is None
    else:
        assert who is not None
        assert who.service == "order"
        assert (who.user_id, who.party_id, who.roles) == (acting.user_id, acting.party_id, acting.roles)


def test_a_service_token_is_reused_per_service_and_principal() -> None:
    tokens = ServiceTokens(SECRET)
    assert tokens.issue("order", ANNA) == tokens.issue("order", ANNA)
    made = {tokens.issue("order", ANNA), tokens.issue("order", None), tokens.issue("pricing", ANNA)}
    assert len(made) == 3


def test_a_service_token_lives_a_minute_and_is_reused_for_half_of_it() -> None:
    token = ServiceTokens(SECRET).issue("order", None)
    claims = jwt.decode(token, options={"verify_signature": False})
    left = claims["exp"] - datetime.now(UTC).timestamp()
    assert 55 < left <= 60
    assert claims["aud"] == "waybill-services"


@pytest.mark.parametrize(
    ("secret", "changes"),
    [
        ("another-secret-than-what-it-has!", {}),
        (SECRET, {"aud": "waybill"}),
        (SECRET, {"exp": 1}),
        (SECRET, {"iss": None}),
        (SECRET, {"act": {"sub": "x"}}),
        (SECRET, {"act": 7}),
    ],
)
def test_a_forged_service_token_is_refused(secret: str, changes: dict[str, Any]) -> None:
    base = {"iss": "order", "aud": SERVICE_AUDIENCE, "exp": datetime.now(UTC).timestamp() + 60}
    claims = {key: value for key, value in {**base, **changes}.items() if value is not None}
    with pytest.raises(WaybillError) as caught:
        ServiceTokens(SECRET).verify(jwt.encode(claims, secret, algorithm="HS256"))
    assert (caught.value.kind, caught.value.reason) == INVALID


def test_an_unsigned_service_token_is_refused() -> None:
    claims = {"iss": "order", "aud": SERVICE_AUDIENCE, "exp": datetime.now(UTC).timestamp() + 60}
    with pytest.raises(WaybillError):
        ServiceTokens(SECRET).verify(jwt.encode(claims, None, algorithm="none"))


def test_a_users_token_is_no_service_token() -> None:
    with pytest.raises(WaybillError):
        ServiceTokens(SECRET).verify(keys.signer("k1").issue(ANNA, timedelta(hours=1), datetime.now(UTC)))
