"""Signing in does not take longer than it may: the client's other calls wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

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
