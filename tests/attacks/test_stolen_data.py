"""Whoever has got a copy of the data folder, and not the sealing key."""

from __future__ import annotations

import base64
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from libs.auth import PartyKind, Principal, ServiceTokens
from libs.auth.keys import private_key
from libs.sealing import SealingKeys, new_key, sealed_by
from services import roles
from services.directory.application.bootstrap import OneTimeSecret
from services.host.process.embedded import running
from services.host.process.keys.service_keys import service_keys
from services.host.process.settings import HostSettings
from tests.attacks.tally import Tally
from tests.attacks.target import carrying
from tests.support.databases import run_folder
from tests.support.prepared import CHEAP, copied_files
from tests.support.process import said
from waybill.directory.v1 import key_service_pb2 as keys
from waybill.directory.v1 import token_service_pb2 as tokens
from waybill.directory.v1 import token_service_pb2_grpc, user_service_pb2_grpc
from waybill.directory.v1 import user_service_pb2 as users
from waybill_client import AsyncWaybill
from waybill_client.errors import from_rpc_error

PKCS8 = bytes.fromhex("020100300d06092a864886f70d01010105000482")
"""What stands in front of the private half of every RSA key, whatever the key."""
MARKS = (b"PRIVATE KEY", PKCS8, PKCS8.hex().encode())


async def owners_token(address: str, secret: OneTimeSecret) -> str:
    grant = tokens.ClientCredentialsGrant()
    request = tokens.IssueTokenRequest(client_id=secret.client_id, client_secret=secret.client_secret, client_credentials=grant)
    async with grpc.aio.insecure_channel(address) as channel:
        return str((await token_service_pb2_grpc.TokenServiceStub(channel).IssueToken(request)).access_token)


async def heard(address: str, metadata: Any) -> str:
    """What is said to whoever asks who it is."""
    async with grpc.aio.insecure_channel(address) as channel:
        try:
            await user_service_pb2_grpc.UserServiceStub(channel).GetMe(users.GetMeRequest(), metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error).reason
    return ""


def halves(data: Path) -> dict[str, str]:
    with closing(sqlite3.connect(data / "directory.sqlite3")) as database:
        return dict(database.execute("SELECT kid, private_pem FROM signing_keys WHERE private_pem > ''").fetchall())


def secrets_of(pem: str) -> list[bytes]:
    """A private half in all the ways in which it might lie about: as text, as bytes, as digits."""
    found = [line.encode() for line in pem.split("\n")[1:-2]]
    key = private_key(pem)
    assert isinstance(key, RSAPrivateKey)
    numbers = key.private_numbers()
    for number in (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp):
        raw = number.to_bytes((number.bit_length() + 7) // 8)
        url = base64.urlsafe_b64encode(raw).rstrip(b"=")
        found += [raw, raw.hex().encode(), url, base64.b64encode(raw), str(number).encode()]
    return found


def whole(folder: Path) -> bytes:
    """Every byte of every file: pages in use, free ones and logs alike."""
    return b"\0\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@dataclass(frozen=True, slots=True)
class Theft:
    """A marketplace that is served, and a copy of its data."""

    address: str
    secret: OneTimeSecret
    token: str
    """The owner's."""
    stolen: Path
    halves: list[str]
    """All private halves that the data has ever had, as nobody but the marketplace knows them."""


@pytest.fixture
async def theft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Theft]:
    """The copy is made after keys have come and gone, so that there are free pages, and a log with former rows. Whatever is
    started afterwards finds no sealing key of its user's."""
    data, stolen = tmp_path / "data", tmp_path / "stolen"
    copy = await copied_files(run_folder(), data)
    kept = Path(os.environ["XDG_CONFIG_HOME"]) / "waybill" / "sealing-keys"
    seen: dict[str, str] = {}
    async with (
        running(HostSettings(data=data, services=CHEAP, background=False)) as host,
        AsyncWaybill(host.address, copy.secret.client_id, copy.secret.client_secret) as owner,
    ):
        for _ in range(3):
            made = (await owner.keys.RotateKey(keys.RotateKeyRequest())).key.kid
            seen |= halves(data)
            await owner.keys.WithdrawKey(keys.WithdrawKeyRequest(kid=made))
        shutil.copytree(data, stolen)
        sealing = {path.stem: SealingKeys.read(path.read_text()) for path in kept.iterdir()}
        opened = [sealing[sealed_by(half)].open(half, f"signing key {kid}") for kid, half in seen.items()]
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "thief"))
        token = await owners_token(host.address, copy.secret)
        yield Theft(host.address, copy.secret, token, stolen, opened)
        assert await heard(host.address, carrying(token)) == ""


async def test_no_byte_of_a_copy_is_of_a_private_half_and_nothing_starts_on_it(theft: Theft, tally: Tally) -> None:
    content = whole(theft.stolen)
    assert [mark for mark in MARKS if mark in content] == []
    assert len(theft.halves) >= 4
    looked_for = [secret for half in theft.halves for secret in secrets_of(half)]
    assert [secret for secret in looked_for if secret in content] == []
    tally.count("private halves looked for in every byte of a copy", len(looked_for) + len(MARKS))
    for environment in ({}, {"WAYBILL_SEALING_KEY": new_key()}):
        arguments = ("serve", "--bind", "127.0.0.1:0", "--data", str(theft.stolen))
        code, _, errors = await said(*arguments, environment=environment)
        assert code == 2
        assert "sealed by the sealing key" in errors
    tally.count("starts of a copy without the sealing key", 2)


async def test_what_a_copy_signs_by_keys_of_its_own_holds_nowhere_else(theft: Theft, tally: Tally) -> None:
    lost = await said("sealing-key", "lost", "--data", str(theft.stolen), "--json")
    assert lost[0] == 0, lost
    code, output, errors = await said("owner", "reset-secret", "--data", str(theft.stolen), "--json")
    assert code == 0, errors
    secret = replace(theft.secret, client_secret=orjson.loads(output)["client_secret"])
    async with running(HostSettings(data=theft.stolen, services=CHEAP, background=False)) as thief:
        own = await owners_token(thief.address, secret)
        assert await heard(thief.address, carrying(own)) == ""
        assert await heard(thief.address, carrying(theft.token)) == "TOKEN_INVALID"
    known = jwt.get_unverified_header(theft.token)["kid"]
    assert known not in halves(theft.stolen)
    said_by_it = jwt.decode(own, options={"verify_signature": False})
    forged = (
        own,
        jwt.encode(said_by_it, "x" * 32, "HS256", {"kid": known}),
        f"{theft.token.rpartition('.')[0]}.{own.rpartition('.')[2]}",
        f"{own.rpartition('.')[0]}.{theft.token.rpartition('.')[2]}",
    )
    for one in forged:
        assert await heard(theft.address, carrying(one)) == "TOKEN_INVALID"
    # What the services share is in the copy. It opens nothing where users are served.
    shared = ServiceTokens(service_keys(HostSettings(data=theft.stolen)))
    acting = Principal("owner", "seller", PartyKind.SELLER, frozenset({roles.FULL_ACCESS}), theft.secret.client_id)
    for service in ("order", "directory"):
        token = shared.issue(service, acting, "directory")
        assert await heard(theft.address, (("waybill-service", token),)) in ("TOKEN_MISSING", "TOKEN_INVALID")
    tally.count("tokens that a copy of the data has signed", len(forged) + 2)
