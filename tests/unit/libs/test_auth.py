from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from libs.auth import KeySet, PartyKind, Principal, TokenSigner, TokenVerifier
from libs.auth.keys import public_jwk, public_key
from libs.auth.service_tokens import audience
from libs.auth.user_tokens import AUDIENCE, ISSUER, claims_of
from libs.errors import Kind, WaybillError
from services import roles
from tests.support import keys

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANNA = Principal("anna", "acme", PartyKind.BUYER, frozenset({roles.SHOPPER, roles.ME_ADDRESS_ADMIN}), "shop")


class Directory:
    """Who serves the key set, and the clock that tokens are judged by."""

    def __init__(self, *signers: TokenSigner) -> None:
        self.signers = list(signers)
        self.asked = self.whole = 0
        self.audience = ""
        self.broken = False
        self.time = NOW
        self.verifier = TokenVerifier(self.fetch, lambda: self.time.timestamp())

    async def fetch(self, revision: str) -> KeySet | None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.broken:
            raise WaybillError(Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", "directory did not answer")
        newest = " ".join([signer.kid for signer in self.signers] + [self.audience])
        self.whole += newest != revision
        return None if newest == revision else KeySet([signer.jwk() for signer in self.signers], self.audience, newest)

    async def refusal(self, token: str) -> tuple[Kind, str]:
        with pytest.raises(WaybillError) as caught:
            await self.verifier.verify(token)
        return caught.value.kind, caught.value.reason


INVALID = (Kind.UNAUTHENTICATED, "TOKEN_INVALID")
EXPIRED = (Kind.UNAUTHENTICATED, "TOKEN_EXPIRED")


@pytest.fixture
def signer() -> TokenSigner:
    return keys.signer("k1")


@pytest.fixture
def directory(signer: TokenSigner) -> Directory:
    return Directory(signer)


def issue(signer: TokenSigner, ttl: timedelta = timedelta(hours=1), at: datetime = NOW) -> str:
    return signer.issue(ANNA, ttl, at, "Anna.B")


async def test_a_token_names_its_caller(signer: TokenSigner, directory: Directory) -> None:
    assert await directory.verifier.verify(issue(signer)) == ANNA


async def test_the_claims_are_the_documented_ones(signer: TokenSigner) -> None:
    claims = jwt.decode(issue(signer), options={"verify_signature": False})
    assert claims == {
        "iss": "waybill",
        "aud": "waybill",
        "sub": "anna",
        "u": "anna",
        "usr": "Anna.B",
        "party": "acme",
        "usrtype": "buyer",
        "role": [roles.ME_ADDRESS_ADMIN, roles.SHOPPER],
        "cid": "shop",
        "groups": [],
        "gen": [0, 0, 0],
        "jti": claims["jti"],
        "iat": NOW.timestamp(),
        "nbf": NOW.timestamp(),
        "exp": NOW.timestamp() + 3600,
    }
    assert jwt.get_unverified_header(issue(signer)) == {"alg": "RS256", "kid": "k1", "typ": "JWT"}


@pytest.mark.parametrize(
    ("groups", "said"),
    [(frozenset({"b", "a"}), {"groups": ["a", "b"]}), (None, {"groups_cut": True}), (frozenset(), {"groups": []})],
)
def test_groups_are_claims_or_a_claim_says_that_there_was_no_room_for_them(groups: frozenset[str] | None, said: dict) -> None:
    claims = replace(ANNA, groups=groups).claims()
    assert {name: value for name, value in claims.items() if name.startswith("groups")} == said
    assert Principal.of_claims(claims).groups == groups


def test_claims_that_say_nothing_of_groups_leave_them_open() -> None:
    claims = {name: value for name, value in ANNA.claims().items() if name != "groups"}
    assert Principal.of_claims(claims).groups is None


def test_the_public_key_is_exported_as_a_jwk_without_the_private_part(signer: TokenSigner) -> None:
    jwk = signer.jwk()
    assert {**jwk, "n": ""} == {"kty": "RSA", "kid": "k1", "alg": "RS256", "use": "sig", "n": "", "e": "AQAB"}
    assert len(base64.urlsafe_b64decode(jwk["n"] + "==")) == 256


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 1024)])
def test_only_an_rsa_key_of_2048_bits_signs(key: Any) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with pytest.raises(ValueError, match="RSA of at least 2048 bits"):
        TokenSigner(pem.decode(), "k1")


async def test_a_short_key_in_the_key_set_verifies_nothing(signer: TokenSigner) -> None:
    short = public_jwk(rsa.generate_private_key(65537, 1024).public_key(), "k1")
    with pytest.raises(ValueError, match="RSA of at least 2048 bits"):
        public_key(short)


@pytest.mark.parametrize(("kind", "user_type"), [(PartyKind.SELLER, "admin"), (PartyKind.SUPPLIER, "supplier")])
async def test_every_kind_of_company_has_its_user_type(
    signer: TokenSigner, directory: Directory, kind: PartyKind, user_type: str
) -> None:
    who = replace(ANNA, party_kind=kind)
    token = signer.issue(who, timedelta(hours=1), NOW)
    assert jwt.decode(token, options={"verify_signature": False})["usrtype"] == user_type
    assert await directory.verifier.verify(token) == who


async def test_the_role_of_a_user_who_has_one_is_a_list_too(signer: TokenSigner, directory: Directory) -> None:
    who = replace(ANNA, roles=frozenset({roles.SHOPPER}))
    token = signer.issue(who, timedelta(hours=1), NOW)
    assert jwt.decode(token, options={"verify_signature": False})["role"] == [roles.SHOPPER]
    assert await directory.verifier.verify(token) == who


async def test_a_token_is_for_the_audience_that_the_key_set_names(directory: Directory) -> None:
    public = "https://shop.example/ordercloud"
    token = issue(keys.signer("k1", audience=public))
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == public
    directory.audience = "https://other.example/ordercloud"
    assert await directory.refusal(token) == INVALID
    directory.audience = public
    directory.verifier = TokenVerifier(directory.fetch, lambda: NOW.timestamp())
    assert await directory.verifier.verify(token) == ANNA
    assert await directory.verifier.verify(issue(directory.signers[0])) == ANNA


def test_a_token_of_every_role_stays_small(signer: TokenSigner) -> None:
    everyone = replace(ANNA, roles=frozenset(roles.ALL_ROLES))
    names = sum(len(role) + 3 for role in roles.ALL_ROLES)
    assert len(signer.issue(everyone, timedelta(hours=1), NOW, "Anna.B")) < names * 4 / 3 + 1_000


async def test_a_token_ends(signer: TokenSigner, directory: Directory) -> None:
    token = issue(signer)
    await directory.verifier.verify(token)
    directory.time = NOW + timedelta(hours=1, seconds=3)
    assert await directory.refusal(token) == EXPIRED


async def test_a_token_does_not_begin_early(signer: TokenSigner, directory: Directory) -> None:
    assert await directory.refusal(issue(signer, at=NOW + timedelta(minutes=1))) == INVALID


async def test_clocks_may_differ_by_a_second(signer: TokenSigner, directory: Directory) -> None:
    assert await directory.verifier.verify(issue(signer, at=NOW + timedelta(seconds=1))) == ANNA
    assert await directory.verifier.verify(issue(signer, at=NOW - timedelta(hours=1, seconds=1))) == ANNA


def b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def forged_claims(**changes: Any) -> dict[str, Any]:
    now = int(NOW.timestamp())
    base = {**claims_of(ANNA, "anna"), "iss": ISSUER, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 60}
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


async def test_a_token_without_a_signature_is_refused(directory: Directory) -> None:
    for alg in ("none", "None", "NONE", ""):
        token = f"{b64({'alg': alg, 'kid': 'k1', 'typ': 'JWT'})}.{b64(forged_claims())}."
        assert await directory.refusal(token) == INVALID
    assert directory.asked == 0


async def test_the_public_key_does_not_serve_as_a_shared_secret(signer: TokenSigner, directory: Directory) -> None:
    import hashlib
    import hmac

    public = public_key(signer.jwk())
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), der, signer.jwk()["n"].encode()):
        head = f"{b64({'alg': 'HS256', 'kid': 'k1', 'typ': 'JWT'})}.{b64(forged_claims())}"
        mac = hmac.new(secret, head.encode(), hashlib.sha256).digest()
        token = f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        assert await directory.refusal(token) == INVALID


async def test_a_token_of_another_key_under_a_known_name_is_refused(directory: Directory) -> None:
    assert await directory.refusal(issue(keys.signer("k1", 1))) == INVALID


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_a_changed_token_is_refused(signer: TokenSigner, directory: Directory, part: int) -> None:
    parts = issue(signer).split(".")
    flipped = "A" if parts[part][5] != "A" else "B"
    parts[part] = parts[part][:5] + flipped + parts[part][6:]
    assert (await directory.refusal(".".join(parts)))[0] is Kind.UNAUTHENTICATED


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "....", "é", "e30.e30.", "x" * 10_000])
async def test_what_is_no_token_is_refused(directory: Directory, token: str) -> None:
    assert await directory.refusal(token) == INVALID


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"aud": audience("order")},
        {"sub": None},
        {"exp": None},
        {"exp": "soon"},
        {"usrtype": "king"},
        {"usrtype": "SELLER"},
        {"usrtype": None},
        {"party": None},
        {"role": None},
        {"role": "FullAccess"},
        {"role": None, "roles": ["FullAccess"]},
        {"cid": None},
        {"nbf": "x"},
    ],
)
async def test_a_signed_token_with_wrong_claims_is_refused(changes: dict[str, Any]) -> None:
    directory = Directory(keys.signer("k1"))
    token = jwt.encode(forged_claims(**changes), keys.pem(), algorithm="RS256", headers={"kid": "k1"})
    assert await directory.refusal(token) == INVALID


async def test_the_key_set_is_asked_for_once_however_many_calls_wait(signer: TokenSigner, directory: Directory) -> None:
    tokens = [issue(signer) for _ in range(20)]
    await asyncio.gather(*(directory.verifier.verify(token) for token in tokens))
    assert directory.asked == 1


async def test_unknown_keys_do_not_make_it_ask_again_and_again(signer: TokenSigner, directory: Directory) -> None:
    directory.verifier.PAUSE_SECONDS = 600.0
    await directory.verifier.verify(issue(signer))
    for i in range(20):
        assert await directory.refusal(issue(keys.signer(f"x{i}", 1))) == INVALID
    assert directory.asked == 1


async def test_a_new_key_is_learned(signer: TokenSigner, directory: Directory) -> None:
    await directory.verifier.verify(issue(signer))
    second = keys.signer("k2", 1)
    directory.signers.append(second)
    directory.verifier.PAUSE_SECONDS = 0.0
    assert await directory.verifier.verify(issue(second)) == ANNA
    assert await directory.verifier.verify(issue(signer)) == ANNA


async def test_a_key_that_was_taken_back_verifies_no_new_token(signer: TokenSigner, directory: Directory) -> None:
    await directory.verifier.verify(issue(signer))
    directory.signers[:] = [keys.signer("k2", 1)]
    directory.verifier.PAUSE_SECONDS = 0.0
    await directory.verifier.verify(issue(directory.signers[0]))
    assert await directory.refusal(issue(signer, ttl=timedelta(hours=2))) == INVALID


async def test_a_withdrawn_key_ends_its_tokens_that_were_verified_before_too(signer: TokenSigner, directory: Directory) -> None:
    token = issue(signer)
    await directory.verifier.verify(token)
    directory.signers[:] = [keys.signer("k2", 1)]
    assert await directory.verifier.verify(token) == ANNA
    await directory.verifier.refresh()
    assert await directory.refusal(token) == INVALID
    assert await directory.verifier.verify(issue(directory.signers[0])) == ANNA


async def test_a_key_set_that_is_known_is_not_sent_again_until_it_is_old(signer: TokenSigner, directory: Directory) -> None:
    for _ in range(5):
        await directory.verifier.refresh()
    assert (directory.asked, directory.whole) == (5, 1)
    directory.verifier = TokenVerifier(directory.fetch, refresh_seconds=0.0)
    for _ in range(5):
        await directory.verifier.refresh()
    assert (directory.asked, directory.whole) == (10, 6)


async def test_while_the_key_set_cannot_be_fetched_the_former_one_holds(signer: TokenSigner, directory: Directory) -> None:
    await directory.verifier.verify(issue(signer))
    directory.broken = True
    with pytest.raises(WaybillError):
        await directory.verifier.refresh()
    assert await directory.verifier.verify(issue(signer)) == ANNA


async def test_a_key_set_that_cannot_be_fetched_is_no_verdict_on_the_token(signer: TokenSigner, directory: Directory) -> None:
    directory.broken = True
    assert await directory.refusal(issue(signer)) == (Kind.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    directory.broken = False
    assert await directory.verifier.verify(issue(signer)) == ANNA


async def test_the_memory_of_verified_tokens_is_bounded(signer: TokenSigner, directory: Directory) -> None:
    directory.verifier.KEEP = 5
    for i in range(9):
        await directory.verifier.verify(issue(signer, ttl=timedelta(hours=1, seconds=i)))
    assert len(directory.verifier._known) == 5


def test_full_access_has_every_role_and_others_only_theirs() -> None:
    admin = Principal("a", "seller", PartyKind.SELLER, frozenset({roles.FULL_ACCESS}), "c")
    for role in roles.ALL_ROLES:
        assert admin.has(role)
    assert ANNA.has(roles.ORDER_ADMIN, roles.SHOPPER)
    assert not ANNA.has(roles.ORDER_ADMIN)
    assert not ANNA.has()


def test_a_missing_role_is_named() -> None:
    ANNA.require(roles.SHOPPER)
    with pytest.raises(WaybillError) as caught:
        ANNA.require(roles.ORDER_ADMIN, roles.ORDER_READER)
    assert (caught.value.kind, caught.value.reason) == (Kind.DENIED, "ROLE_MISSING")
    assert caught.value.metadata == {"role": roles.ORDER_ADMIN}


def test_every_role_is_a_name_in_pascal_case() -> None:
    assert len(roles.ALL_ROLES) >= 25
    assert all(isinstance(role, str) and role[0].isupper() and role.isalpha() for role in roles.ALL_ROLES)
