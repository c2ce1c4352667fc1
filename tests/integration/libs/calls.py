"""Calls by hand, for tests of the rpc layer."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from libs.errors import WaybillError
from tests.support.echo import ECHO
from tests.support.principals import buyer
from tests.support.server import Served

ANNA = buyer()


async def refusal(call: Any) -> WaybillError:
    with pytest.raises(WaybillError) as caught:
        await call
    return caught.value


async def raw(server: Served, data: bytes, metadata: Any, method: str = ECHO) -> bytes:
    """A call with bytes of our own choosing."""
    return await server.channel.unary_unary(method)(data, metadata=metadata)  # type: ignore[no-any-return]


def info_of(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info
