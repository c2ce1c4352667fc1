"""A small HTTP listener for call-backs of providers: `POST /callbacks/{provider}`, and nothing else but the page of the test
gateway where that is in use.

Everything is bounded: the head, the body, the time and the number of connections. A provider is answered a status and no text,
and every connection ends with its answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import h11

from libs.errors import Kind, WaybillError
from libs.obs import get_logger
from libs.service.startup import StartupError
from services.payment.application.redirects.provider_callbacks import HandleProviderCallback
from services.payment.rpc.redirects.provider_callback_servicer import MAX_BODY, MAX_HEADERS, MAX_NAME, MAX_VALUE
from services.payment.rpc.redirects.provider_page import ProviderPage, Reply

_LOG = get_logger("payment.callbacks")
MAX_HEAD: Final = 16_384
"""Bytes of the request line and the headers."""
_PATH: Final = re.compile(r"/callbacks/([A-Za-z0-9_-]{1,100})")


class _RefusedError(Exception):
    """What is read is not taken."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Request:
    method: bytes
    path: str
    headers: Mapping[str, str]
    body: bytes


class CallbackListener:
    """Serves from `open` until `close`."""

    def __init__(
        self, handle: HandleProviderCallback, patience: float, connections: int, page: ProviderPage | None = None
    ) -> None:
        """`patience`: seconds that a request may take, from its first byte to its answer. `page`: where the test gateway is in
        use."""
        self._handle = handle
        self._patience = patience
        self._connections = connections
        self._page = page
        self._running: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, bind: str) -> int:
        """Listens on `host:port`; returns the port."""
        host, _, port = bind.rpartition(":")
        try:
            self._server = await asyncio.start_server(self._connected, host.strip("[]") or "127.0.0.1", int(port))
        except (OSError, ValueError, OverflowError) as error:
            raise StartupError(f"cannot listen for call-backs on {bind}: the port is taken, or it is not host:port") from error
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Takes no more, and ends what is running."""
        if self._server is not None:
            self._server.close()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._running) >= self._connections:
            writer.close()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._patience):
                writer.write(_written(await self._answer(reader)))
                await writer.drain()
        except (TimeoutError, OSError):
            # Whoever is that slow, or gone, needs no answer.
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Reply:
        try:
            return await self._served(await _received(reader, self._takes))
        except _RefusedError as refused:
            return Reply(refused.status)
        except h11.RemoteProtocolError as error:
            return Reply(413 if error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE else 400)
        except WaybillError as error:
            return Reply({Kind.MISSING: 404, Kind.DENIED: 400}.get(error.kind, 503))
        except Exception as error:
            _LOG.error("callback_failed", error=type(error).__name__)
            # The provider sends it again.
            return Reply(503)

    def _takes(self, method: bytes, path: str) -> bool:
        """Whether this is served at all: nothing is read of what is not."""
        if self._page is not None and self._page.reference(path) is not None:
            return method in (b"GET", b"POST")
        return method == b"POST" and _PATH.fullmatch(path) is not None

    async def _served(self, request: _Request) -> Reply:
        if callback := _PATH.fullmatch(request.path):
            await self._handle(callback[1], request.headers, request.body)
            return Reply(200)
        reference = None if self._page is None else self._page.reference(request.path)
        if self._page is None or reference is None:
            return Reply(404)
        if request.method == b"GET":
            return await self._page.show(reference)
        return await self._page.submit(reference, request.body)


def _written(reply: Reply) -> bytes:
    """Nothing of what a request says is in it but the way back to a shop, which has neither blanks nor ends of lines."""
    head = {**reply.headers, "Content-Length": str(len(reply.body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join((*lines, "", "")).encode() + reply.body


async def _received(reader: asyncio.StreamReader, takes: Callable[[bytes, str], bool]) -> _Request:
    """One whole request. Raises `_RefusedError` with the status, and what h11 raises where it is no HTTP."""
    # It judges what has come while something is missing: a first part of this size that has no whole head is too much.
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD - 1)
    request = await _event(connection, reader)
    if not isinstance(request, h11.Request):
        raise _RefusedError(400)
    path = request.target.decode("latin-1")
    if not takes(request.method, path):
        raise _RefusedError(404)
    headers = _headers(request)
    body = bytearray()
    while isinstance(part := await _event(connection, reader), h11.Data):
        body += part.data
    return _Request(request.method, path, headers, bytes(body))


async def _event(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(MAX_HEAD))
    return event


def _headers(request: h11.Request) -> Mapping[str, str]:
    """The headers, the first of each name. Raises `_RefusedError` for too much of anything."""
    headers: dict[str, str] = {}
    for name, value in request.headers:
        headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    # One length, said beforehand: what comes in chunks has none, and only what is fetched has no body.
    said = "content-length" in headers or request.method == b"GET"
    if len(headers) > MAX_HEADERS or not said or "transfer-encoding" in headers:
        raise _RefusedError(400)
    if any(len(name) > MAX_NAME or len(value) > MAX_VALUE for name, value in headers.items()):
        raise _RefusedError(400)
    if int(headers.get("content-length", "0")) > MAX_BODY:
        raise _RefusedError(413)
    return headers
