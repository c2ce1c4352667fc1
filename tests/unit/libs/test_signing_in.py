"""Signing in does not take longer than it may: the client's other calls wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from waybill.directory.v1 import token_service_pb2
from waybill.directory.v1 import token_service_pb2_grpc as pb_grpc
from waybill.order.v1 import order_service_pb2
from waybill_client import AsyncWaybill, Waybill, WaybillError
from waybill_client.session import SIGN_IN


class Directory(pb_grpc.TokenServiceServicer):
    """Refuses everybody, and remembers how long they would have waited."""

    def __init__(self) -> None:
        self.patience: list[float | None] = []
        self.address = ""

    async def IssueToken(self, request: Any, context: Any) -> Any:
        self.patience.append(context.time_remaining())
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")


@pytest.fixture
async def directory() -> AsyncIterator[Directory]:
    server, made = grpc.aio.server(), Directory()
    pb_grpc.add_TokenServiceServicer_to_server(made, server)
    made.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield made
    await server.stop(None)


def a_call(address: str) -> None:
    with Waybill(address, "shop", "wrong") as client:
        client.orders.ListOrders(order_service_pb2.ListOrdersRequest())


async def test_both_clients_sign_in_with_a_deadline(directory: Directory) -> None:
    with pytest.raises(WaybillError):
        await AsyncWaybill.connect(directory.address, "shop", "wrong")
    with pytest.raises(WaybillError):
        await asyncio.to_thread(a_call, directory.address)
    assert len(directory.patience) == 2
    # On the wire a deadline is rounded up.
    assert all(patience is not None and patience < 2 * SIGN_IN for patience in directory.patience)


class Refreshing(pb_grpc.TokenServiceServicer):
    """Grants refresh tokens, which hold until they are taken back; access tokens are due at once."""

    def __init__(self) -> None:
        self.grants: list[tuple[str | None, str]] = []
        self.holds = True

    async def IssueToken(self, request: Any, context: Any) -> Any:
        self.grants.append((request.WhichOneof("grant"), request.refresh.refresh_token))
        if request.HasField("refresh") and not self.holds:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")
        return token_service_pb2.IssueTokenResponse(access_token="a", refresh_token="r")


@pytest.fixture
async def refreshing() -> AsyncIterator[tuple[Refreshing, str]]:
    server, made = grpc.aio.server(), Refreshing()
    pb_grpc.add_TokenServiceServicer_to_server(made, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield made, address
    await server.stop(None)


def calls(address: str, number: int, between: Callable[[], None]) -> None:
    """Each signs in first, since no token is fresh; nobody serves orders here."""
    with Waybill(address, "shop", username="ada", password="p") as client:
        for _ in range(number):
            with pytest.raises(WaybillError) as error:
                client.orders.ListOrders(order_service_pb2.ListOrdersRequest())
            assert error.value.code is grpc.StatusCode.UNIMPLEMENTED
            between()


async def test_both_clients_refresh_and_sign_in_anew_when_that_is_over(refreshing: tuple[Refreshing, str]) -> None:
    served, address = refreshing

    def taken_back() -> None:
        served.holds = len(served.grants) < 2

    wanted = [("password", ""), ("refresh", "r"), ("refresh", "r"), ("password", "")]
    await asyncio.to_thread(calls, address, 3, taken_back)
    assert served.grants == wanted
    served.grants.clear()
    served.holds = True
    async with AsyncWaybill(address, "shop", username="ada", password="p") as client:
        for _ in range(3):
            with pytest.raises(WaybillError):
                await client.orders.ListOrders(order_service_pb2.ListOrdersRequest())
            taken_back()
    assert served.grants == wanted
