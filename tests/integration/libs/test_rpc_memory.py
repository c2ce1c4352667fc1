"""A call that is refused leaves nothing of its request behind, though nobody looks for cycles for a long time."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest

from libs.errors import missing
from tests.integration.libs.calls import ANNA
from tests.support.echo import ECHO, WATCH, EchoServicer, echo_app
from tests.support.server import serving

SIZE = 1_000_000
CALLS = 8


@pytest.fixture
def unswept() -> Iterator[None]:
    """Without the collector, which a server lets look only rarely."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


async def refused(text: str) -> str:
    raise missing("thing", str(len(text)))


async def broken(text: str) -> str:
    raise KeyError(len(text))


async def watched(text: str) -> AsyncIterator[str]:
    yield "begun"
    raise missing("thing", str(len(text)))


@pytest.mark.parametrize("method", [ECHO, WATCH])
@pytest.mark.parametrize("who", ["nobody", "a wrong token", "a malformed message", "a refusal", "a defect"])
@pytest.mark.usefixtures("log", "unswept")
async def test_nothing_of_a_request_outlives_its_refusal(method: str, who: str) -> None:
    servicer = EchoServicer(broken if who == "a defect" else refused)
    servicer.watched = watched
    async with serving(echo_app(servicer)) as served:
        strangers: dict[str, Any] = {"nobody": (), "a wrong token": (("authorization", "Bearer no.token.really"),)}
        metadata = strangers.get(who, served.metadata(ANNA))
        body = b"\xff" * SIZE if who == "a malformed message" else message(SIZE)

        async def call() -> None:
            kind: Any = served.channel.unary_unary if method == ECHO else served.channel.unary_stream
            answers = kind(method)(body, metadata=metadata)
            with pytest.raises(grpc.aio.AioRpcError):
                _ = await answers if method == ECHO else [answer async for answer in answers]

        await call()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(CALLS):
            await call()
        after, _ = tracemalloc.get_traced_memory()
        assert after - before < 2 * SIZE


def message(size: int) -> bytes:
    """A StringValue of so many characters, as bytes."""
    length, rest = b"", size
    while rest > 127:
        length, rest = length + bytes([rest & 127 | 128]), rest >> 7
    return b"\x0a" + length + bytes([rest]) + b"x" * size
