"""A small HTTP listener for call-backs of providers: `POST /callbacks/{provider}`, and nothing else.

Everything is bounded: the head, the body, the time and the number of connections. An answer is a status and no text, and every
connection ends with its answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from libs.errors import Kind, WaybillError
from libs.obs import get_logger
from libs.service.startup import StartupError
from services.payment.application.redirects.provider_callbacks import HandleProviderCallback
from services.payment.rpc.redirects.provider_callback_servicer import MAX_BODY, MAX_HEADERS

_LOG = get_logger("payment.callbacks")
MAX_HEAD: Final = 16_384
"""Bytes of the request line and the headers."""
_LINE: Final = re.compile(r"([A-Z]{1,10}) (/[!-~]{0,1000}) HTTP/1\.[01]")
_PATH: Final = re.compile(r"/callbacks/([A-Za-z0-9_-]{1,100})")
_FIELD: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}):[ \t]*([^\r\n\0]{0,4000}?)[ \t]*")
_WORDS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 413: "Content Too Large", 503: "Service Unavailable"}


class _RefusedError(Exception):
    """What is read is not taken."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Callback:
    provider: str
    headers: Mapping[str, str]
    length: int


class CallbackListener:
    """Serves from `open` until `close`."""

    def __init__(self, handle: HandleProviderCallback, patience: float, connections: int) -> None:
        """`patience`: seconds that a request may take, from its first byte to its answer."""
        self._handle = handle
        self._patience = patience
        self._connections = connections
        self._running: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, bind: str) -> int:
        """Listens on `host:port`; returns the port."""
        host, _, port = bind.rpartition(":")
        try:
            self._server = await asyncio.start_server(self._connected, host.strip("[]") or "127.0.0.1", int(port), limit=MAX_HEAD)
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
                status = await self._answer(reader)
                writer.write(f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
        except (TimeoutError, OSError):
            # Whoever is that slow, or gone, needs no answer.
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> int:
        try:
            head = _head(await _until_blank_line(reader))
            body = await reader.readexactly(head.length)
            await self._handle(head.provider, head.headers, body)
        except _RefusedError as refused:
            return refused.status
        except asyncio.IncompleteReadError:
            return 400
        except WaybillError as error:
            return {Kind.MISSING: 404, Kind.DENIED: 400}.get(error.kind, 503)
        except Exception as error:
            _LOG.error("callback_failed", error=type(error).__name__)
            # The provider sends it again.
            return 503
        return 200


async def _until_blank_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise _RefusedError(413) from None


def _head(raw: bytes) -> _Callback:
    """What the head asks for. Raises `_RefusedError` with the status."""
    line, *fields = raw[:-4].decode("latin-1").split("\r\n")
    asked = _LINE.fullmatch(line)
    if asked is None:
        raise _RefusedError(400)
    path = _PATH.fullmatch(asked[2])
    if asked[1] != "POST" or path is None:
        raise _RefusedError(404)
    headers: dict[str, str] = {}
    lengths: set[str] = set()
    for text in fields:
        field = _FIELD.fullmatch(text)
        if field is None or len(headers) >= MAX_HEADERS:
            raise _RefusedError(400)
        name = field[1].lower()
        headers.setdefault(name, field[2])
        if name == "content-length":
            lengths.add(field[2])
    # One length, said in digits: whatever else frames a body could be read in two ways.
    length = next(iter(lengths), "")
    if len(lengths) != 1 or "transfer-encoding" in headers or not re.fullmatch(r"[0-9]{1,12}", length):
        raise _RefusedError(400)
    if int(length) > MAX_BODY:
        raise _RefusedError(413)
    return _Callback(path[1], headers, int(length))
