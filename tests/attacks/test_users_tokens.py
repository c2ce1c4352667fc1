"""Tokens of users that nobody has given out, or not for here, or not for now: each is refused before anything is done."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from libs.auth import PartyKind
from tests.access.cells import rows
from tests.attacks.tally import Tally
from tests.attacks.target import EVERYTHING, Target, bare, carrying, claims_of, part
from tests.support.contracts import services
from waybill.directory.v1 import token_service_pb2, token_service_pb2_grpc

METHODS = [method for service in services() for method in service.methods]
MINE = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def forgeries(target: Target, key: token_service_pb2.JsonWebKey) -> dict[str, str]:
    """Tokens of an attacker who has a good token, the key set, and knows how tokens are made."""
    good = target.token
    header, body, signature = good.split(".")
    claims, kid = claims_of(good), key.kid
    buyer = bare(target.callers.of(PartyKind.BUYER, EVERYTHING))
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(MINE.public_key(), as_dict=True)

    def signed(headers: dict[str, Any] | None = None, algorithm: str = "RS256", by: Any = MINE) -> str:
        return jwt.encode(claims, by, algorithm=algorithm, headers={"kid": kid, **(headers or {})})

    return {
        "no signature": f"{header}.{body}.",
        "two parts": f"{header}.{body}",
        "alg none": f"{part({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{body}.",
        "alg nOnE, signed": f"{part({'alg': 'nOnE', 'typ': 'JWT', 'kid': kid})}.{body}.{signature}",
        "alg that is no text": f"{part({'alg': ['RS256'], 'typ': 'JWT', 'kid': kid})}.{body}.{signature}",
        "public key as shared secret": jwt.encode(claims, key.n, algorithm="HS256", headers={"kid": kid}),
        "another key under the known name": signed(),
        "a key that it brings along": signed({"jwk": jwk}),
        "a key that is to be fetched": signed({"jku": "http://127.0.0.1:9/keys", "x5u": "http://127.0.0.1:9/cert"}),
        "another curve under the known name": signed(algorithm="ES256", by=ec.generate_private_key(ec.SECP256R1())),
        "another sort of key": signed(algorithm="EdDSA", by=ed25519.Ed25519PrivateKey.generate()),
        "padding of the other kind": signed(algorithm="PS256"),
        "no name of a key": jwt.encode(claims, MINE, algorithm="RS256"),
        "name of a key that is a path": signed({"kid": "../../../../dev/null"}),
        "name of a key that is SQL": signed({"kid": "' OR 1=1 --"}),
        "claims of somebody else": f"{header}.{part({**claims, 'sub': 'owner', 'exp': int(time.time()) + 10**9})}.{signature}",
        "body of another token": f"{header}.{buyer.split('.')[1]}.{signature}",
        "signature of another token": f"{header}.{body}.{buyer.split('.')[2]}",
        "a bit of the signature": f"{header}.{body}.{signature[:-4]}{'A' if signature[-4] != 'A' else 'B'}{signature[-3:]}",
        "body that is no JSON": f"{header}.bm90IGpzb24.{signature}",
        "nested five hundred deep": f"{part({'alg': 'RS256', 'kid': kid})}.{'W10' * 500}.{signature}",
        "no token": "hello",
        "only dots": "...",
        "eight thousand letters": "a" * 7_000,
    }


async def key_of(target: Target) -> token_service_pb2.JsonWebKey:
    """The key that signs, as everybody may see it."""
    answer = await token_service_pb2_grpc.TokenServiceStub(target.callers.outside).GetKeySet(token_service_pb2.GetKeySetRequest())
    (key,) = answer.keys
    return key


async def test_a_forged_token_opens_nothing_anywhere(target_market: Target, tally: Tally) -> None:
    forged = forgeries(target_market, await key_of(target_market))
    # Whatever there is to learn of a name that is not known is learned with the first one.
    for token in forged.values():
        await target_market.callers.answer(METHODS[0], carrying(token))
    before, taken = target_market.statements, []
    for method in METHODS:
        for what, token in forged.items():
            reason, _ = await target_market.callers.answer(method, carrying(token))
            if reason not in ("TOKEN_INVALID", "TOKEN_MISSING"):
                taken.append((method.full_name, what, reason))
    assert taken == []
    assert target_market.statements - before <= len(METHODS), "forged tokens reach the database"
    tally.count("forged tokens of users", len(METHODS) * len(forged))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("expired", "TOKEN_EXPIRED"), ("of_another_audience", "TOKEN_INVALID"), ("of_another_marketplace", "TOKEN_INVALID")],
)
async def test_a_token_of_another_time_or_place_opens_nothing(
    target_market: Target, tally: Tally, kind: str, reason: str
) -> None:
    token = getattr(target_market, kind)
    answers = {method.full_name: (await target_market.callers.answer(method, carrying(token)))[0] for method in METHODS}
    assert {name: answer for name, answer in answers.items() if answer != reason} == {}
    tally.count(f"tokens of users: {kind.replace('_', ' ')}", len(METHODS))


async def test_a_users_token_opens_nothing_where_services_are_served(target_market: Target, tally: Tally) -> None:
    callers = target_market.callers
    inside = type(callers)(callers.market, callers.tokens, callers.inside, callers.outside)
    answers = {method.full_name: (await inside.answer(method, carrying(target_market.token)))[0] for method in METHODS}
    assert {name: answer for name, answer in answers.items() if answer != "TOKEN_MISSING"} == {}
    as_service = (("waybill-service", target_market.token),)
    answers = {method.full_name: (await inside.answer(method, as_service))[0] for method in METHODS}
    assert {name: answer for name, answer in answers.items() if answer != "TOKEN_INVALID"} == {}
    tally.count("tokens of users replayed at the services' listener", 2 * len(METHODS))


@pytest.mark.parametrize(
    "metadata",
    [
        (("authorization", "Basic b3duZXI6cGFzc3dvcmQ="),),
        (("authorization", "Bearer"),),
        (("authorization", "Bearer "),),
        (("authorization", ""),),
        (("authorization", "Bearer null"),),
        (("authorization", "Bearer undefined"),),
        (("waybill-service", "order"),),
        (("x-forwarded-user", "owner"), ("x-user-id", "owner"), ("waybill-principal", "owner")),
        (),
    ],
    ids=str,
)
async def test_what_is_no_token_opens_nothing(target_market: Target, tally: Tally, metadata: tuple[tuple[str, str], ...]) -> None:
    closed = {row.method for row in rows() if not row.open}
    methods = [m for m in METHODS if f"/{m.containing_service.full_name}/{m.name}" in closed]
    answers = {method.full_name: (await target_market.callers.answer(method, metadata))[0] for method in methods}
    assert {name: answer for name, answer in answers.items() if answer not in ("TOKEN_MISSING", "TOKEN_INVALID")} == {}
    tally.count("calls without a token", len(methods))


async def test_of_two_good_tokens_in_one_call_none_is_taken(target_market: Target, tally: Tally) -> None:
    good, other = target_market.token, bare(target_market.callers.of(PartyKind.BUYER, EVERYTHING))
    tried = 0
    for method in METHODS[:40]:
        for metadata in (carrying(good) + carrying(other), carrying(other) + carrying(good)):
            reason, _ = await target_market.callers.answer(method, metadata)
            assert reason == "TOKEN_INVALID", (method.full_name, reason)
            tried += 1
    tally.count("two tokens in one call", tried)
