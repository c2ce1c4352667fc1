"""What is attacked: a marketplace with everyone in it, and what an attacker has got hold of."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest

from libs.auth import PartyKind, ServiceTokens
from libs.clock import ManualClock
from libs.rpc.fairness.limits import OutsideLimits
from services import roles
from services.directory.application.bootstrap import OneTimeSecret
from services.host.process.embedded import running
from services.host.process.keys.service_keys import service_keys
from services.host.process.settings import HostSettings
from tests.access.callers import Callers, Metadata
from tests.support.databases import run_folder
from tests.support.marketplace import marketplace
from tests.support.prepared import CHEAP, copied_files
from waybill.directory.v1 import token_service_pb2, token_service_pb2_grpc

PATIENT = OutsideLimits(refusals=1_000_000)
"""Every refusal is answered at once, though there are thousands."""
EVERYTHING = frozenset({roles.FULL_ACCESS})


@dataclass(frozen=True, slots=True)
class Target:
    """A marketplace in one process, in which only calls change anything."""

    callers: Callers
    data: Path
    """Where it keeps everything."""
    expired: str
    """A token of the owner that this marketplace has signed, hours ago."""
    of_another_audience: str
    """One that its own key has signed, for somebody else."""
    of_another_marketplace: str
    """One of the owner of another marketplace, in which everybody has the same names."""

    @property
    def token(self) -> str:
        """A good one, of a user of the seller with every role."""
        return bare(self.callers.of(PartyKind.SELLER, EVERYTHING))

    @property
    def statements(self) -> int:
        """SQL statements sent so far, by every service."""
        return self.callers.market.host.statements


def bare(metadata: Metadata) -> str:
    """The token that a call carries."""
    return dict(metadata)["authorization"].removeprefix("Bearer ")


def carrying(token: str) -> Metadata:
    """What a call carries that shows the token."""
    return (("authorization", f"Bearer {token}"),)


def part(value: dict[str, Any]) -> str:
    """A part of a token, as it is written."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, whoever signed it."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def _owners_token(address: str, secret: OneTimeSecret) -> str:
    request = token_service_pb2.IssueTokenRequest(
        client_id=secret.client_id,
        client_secret=secret.client_secret,
        client_credentials=token_service_pb2.ClientCredentialsGrant(),
    )
    async with grpc.aio.insecure_channel(address) as channel:
        issued = await token_service_pb2_grpc.TokenServiceStub(channel).IssueToken(request)
    return str(issued.access_token)


@asynccontextmanager
async def target(folders: pytest.TempPathFactory) -> AsyncIterator[Target]:
    """Tokens that are good no longer or elsewhere are made by marketplaces that run before, and end."""
    data = folders.mktemp("attacked")
    copy = await copied_files(run_folder(), data)

    async def token_of(settings: HostSettings, secret: OneTimeSecret | None, clock: ManualClock | None = None) -> str:
        async with running(settings, clock) as host:
            known = secret or host.secret
            assert known is not None
            return await _owners_token(host.address, known)

    expired = await token_of(
        HostSettings(data=data, services=CHEAP, background=False),
        copy.secret,
        ManualClock(datetime.now(UTC) - timedelta(hours=12)),
    )
    elsewhere: dict[str, dict[str, object]] = {"directory": {**CHEAP["directory"], "public_url": "https://elsewhere.example"}}
    of_another_audience = await token_of(HostSettings(data=data, services=elsewhere, background=False), copy.secret)
    another = HostSettings(data=folders.mktemp("another"), services=CHEAP, background=False)
    of_another_marketplace = await token_of(another, None)
    tokens = ServiceTokens(service_keys(HostSettings(data=data)))
    async with (
        marketplace(data, secret=copy.secret, background=False, outside=PATIENT) as made,
        grpc.aio.insecure_channel(made.address) as outside,
        grpc.aio.insecure_channel(made.host.inner_address) as inside,
    ):
        callers = Callers(made, tokens, outside, inside)
        await callers.sign_up((kind, EVERYTHING) for kind in PartyKind)
        yield Target(callers, data, expired, of_another_audience, of_another_marketplace)
