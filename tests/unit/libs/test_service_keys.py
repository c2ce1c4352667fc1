"""Pairs of keys with which services sign their tokens."""

from __future__ import annotations

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.auth import KeyPairs, ServiceTokens, SharedSecret
from libs.auth.service_keys import new_pair, private_key, public_keys
from libs.errors import Kind, WaybillError
from tests.support import keys
from tests.support.principals import buyer

INVALID = (Kind.UNAUTHENTICATED, "TOKEN_INVALID")
SECRET = "a-secret-that-only-this-test-has"
KEYS = {service: Ed25519PrivateKey.generate() for service in ("order", "pricing", "shipping")}
PUBLIC = {service: [key.public_key()] for service, key in KEYS.items()}


def tokens(service: str) -> ServiceTokens:
    return ServiceTokens(KeyPairs(service, KEYS[service], PUBLIC))


def refusal(verifier: ServiceTokens, token: str) -> tuple[Kind, str]:
    with pytest.raises(WaybillError) as caught:
        verifier.verify(token, "pricing")
    return caught.value.kind, caught.value.reason


def test_a_service_signs_with_its_own_key_and_every_other_one_knows_who_it_is() -> None:
    token = tokens("order").issue("order", buyer(), "pricing")
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "JWT", "kid": "order"}
    service, acting = tokens("pricing").verify(token, "pricing")
    assert service == "order"
    assert acting is not None
    assert (acting.user_id, acting.service) == ("anna", "order")


def test_a_service_cannot_speak_for_another_one() -> None:
    with pytest.raises(ValueError, match="there is no private key of order here"):
        tokens("shipping").issue("order", None, "pricing")
    claims = jwt.decode(tokens("order").issue("order", None, "pricing"), options={"verify_signature": False})
    for kid in ("order", "shipping", "nobody", None):
        forged = jwt.encode(claims, KEYS["shipping"], algorithm="EdDSA", headers={"kid": kid} if kid else {})
        assert refusal(tokens("pricing"), forged) == INVALID


def test_a_shared_secret_is_nothing_among_pairs_of_keys_nor_the_other_way_round() -> None:
    shared = ServiceTokens(SharedSecret(SECRET))
    assert refusal(tokens("pricing"), shared.issue("order", None, "pricing")) == INVALID
    assert refusal(shared, tokens("order").issue("order", None, "pricing")) == INVALID
    claims = jwt.decode(tokens("order").issue("order", None, "pricing"), options={"verify_signature": False})
    for forged in (
        jwt.encode(claims, PUBLIC["order"][0].public_bytes_raw(), algorithm="HS256", headers={"kid": "order"}),
        jwt.encode(claims, None, algorithm="none", headers={"kid": "order"}),
        jwt.encode(claims, keys.pem(), algorithm="RS256", headers={"kid": "order"}),
        "a.b.c",
    ):
        assert refusal(tokens("pricing"), forged) == INVALID


def test_while_a_key_takes_the_place_of_another_both_are_good() -> None:
    later = Ed25519PrivateKey.generate()
    both = {**PUBLIC, "order": [*PUBLIC["order"], later.public_key()]}
    pricing = ServiceTokens(KeyPairs("pricing", KEYS["pricing"], both))
    for key in (KEYS["order"], later):
        token = ServiceTokens(KeyPairs("order", key, both)).issue("order", None, "pricing")
        assert pricing.verify(token, "pricing")[0] == "order"
    foreign = {**PUBLIC, "order": [Ed25519PrivateKey.generate().public_key()]}
    assert refusal(ServiceTokens(KeyPairs("pricing", KEYS["pricing"], foreign)), token) == INVALID


def test_a_private_key_without_its_public_one_is_refused() -> None:
    for public in ({}, {"order": []}, {"order": PUBLIC["pricing"]}):
        with pytest.raises(ValueError, match="the private key belongs to none of the public keys of order"):
            KeyPairs("order", KEYS["order"], public)


def test_a_pair_is_read_as_it_was_made_and_public_keys_may_follow_each_other() -> None:
    (first, one), (second, two) = new_pair(), new_pair()
    assert public_keys(one + "\n" + two) == [private_key(first).public_key(), private_key(second).public_key()]


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", new_pair()[0]])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    for content in (text, new_pair()[1] + text) if text else (text,):
        with pytest.raises(ValueError, match="it is no public key in PEM"):
            public_keys(content)


def test_what_is_no_private_key_is_refused() -> None:
    for text, why in (("x", "no private key in PEM"), (new_pair()[1], "no private key in PEM"), (keys.pem(), "no Ed25519 key")):
        with pytest.raises(ValueError, match=why):
            private_key(text)
