"""A marketplace behind a proxy that says where calls come from: an attacker and its victim have addresses of their own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from libs.rpc.fairness.limits import OutsideLimits
from services import roles
from services.directory.application.bootstrap import OneTimeSecret
from services.host.process.embedded import Host, running
from services.host.process.settings import HostSettings
from services.host.sample.marketplace import PASSWORD, party
from tests.attacks.target import carrying
from tests.support.databases import run_folder
from tests.support.prepared import CHEAP, copied_files
from waybill.directory.v1 import api_client_service_pb2 as clients
from waybill.directory.v1 import token_service_pb2 as pb
from waybill.directory.v1 import token_service_pb2_grpc, user_service_pb2_grpc
from waybill.directory.v1 import user_service_pb2 as users
from waybill_client import AsyncWaybill
from waybill_client.errors import from_rpc_error

LIMITS = OutsideLimits(trusted_proxies="127.0.0.1/32,::1")
DAY = 24 * 60
TILL, SAFE = "till", "safe"
"""Clients that grant refresh tokens, the second with a secret."""


@dataclass(frozen=True, slots=True)
class Proxied:
    """Where it is served, and the owner of it."""

    host: Host
    data: Path
    secret: OneTimeSecret
    owner: AsyncWaybill
    channel: grpc.aio.Channel
    safe_secret: str
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def elsewhere(self) -> str:
        """An address that nobody has called from."""
        number = next(self.numbers)
        return f"198.51.{number // 250}.{number % 250 + 1}"

    async def issue(self, request: pb.IssueTokenRequest, source: str = "", token: str = "") -> pb.IssueTokenResponse:
        """IssueToken as it comes from there; from an address of its own unless one is given."""
        metadata = [("x-forwarded-for", source or self.elsewhere())]
        if token:
            metadata.append(("authorization", f"Bearer {token}"))
        return await token_service_pb2_grpc.TokenServiceStub(self.channel).IssueToken(request, metadata=metadata)

    async def refusal(self, request: pb.IssueTokenRequest, source: str = "", token: str = "") -> tuple[str, dict[str, str]]:
        """Why it is refused; nothing for what is answered."""
        try:
            await self.issue(request, source, token)
        except grpc.aio.AioRpcError as error:
            known = from_rpc_error(error)
            return known.reason or known.fields[0].reason, dict(known.metadata)
        return "", {}

    async def seen(self, token: str) -> str:
        """What is said to whoever shows an access token; nothing to whom it is answered who it is."""
        try:
            await user_service_pb2_grpc.UserServiceStub(self.channel).GetMe(users.GetMeRequest(), metadata=carrying(token))
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error).reason
        return ""

    async def newcomer(self, id: str, *held: str, company: str = "acme") -> None:
        """A user of a buyer."""
        user = users.User(
            id=id, username=id, party=party("BUYER", company), active=True, password=PASSWORD, roles=held or [roles.SHOPPER]
        )
        await self.owner.users.CreateUser(users.CreateUserRequest(user=user))

    async def refresh_token(self, id: str, client: str = TILL, wanted: tuple[str, ...] = ()) -> str:
        """One of a user who signs in."""
        request = by_password(id, client=client, secret=self.safe_secret if client == SAFE else "", wanted=wanted)
        return (await self.issue(request)).refresh_token


def by_password(
    name: str, password: str = PASSWORD, client: str = TILL, secret: str = "", wanted: tuple[str, ...] = ()
) -> pb.IssueTokenRequest:
    """Somebody signs in."""
    grant = pb.PasswordGrant(username=name, password=password)
    return pb.IssueTokenRequest(client_id=client, client_secret=secret, password=grant, roles=wanted)


def by_refresh(token: str, client: str = TILL, secret: str = "", wanted: tuple[str, ...] = ()) -> pb.IssueTokenRequest:
    """Somebody has signed in before, or says so."""
    grant = pb.RefreshGrant(refresh_token=token)
    return pb.IssueTokenRequest(client_id=client, client_secret=secret, refresh=grant, roles=wanted)


@asynccontextmanager
async def proxied(folders: pytest.TempPathFactory) -> AsyncIterator[Proxied]:
    """Whatever calls from the loopback is taken for the proxy."""
    data = folders.mktemp("proxied")
    copy = await copied_files(run_folder(), data)
    settings = HostSettings(data=data, services=CHEAP, background=False, outside=LIMITS)
    async with (
        running(settings) as host,
        AsyncWaybill(host.address, copy.secret.client_id, copy.secret.client_secret) as owner,
        grpc.aio.insecure_channel(host.address) as channel,
    ):
        for id in (TILL, SAFE):
            client = clients.ApiClient(id=id, name=id, active=True, allow_any_buyer=True, refresh_token_minutes=DAY)
            await owner.api_clients.CreateApiClient(clients.CreateApiClientRequest(api_client=client))
        made = await owner.api_clients.RotateSecret(clients.RotateSecretRequest(api_client_id=SAFE))
        yield Proxied(host, data, copy.secret, owner, channel, made.client_secret)
