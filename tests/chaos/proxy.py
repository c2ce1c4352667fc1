"""TCP proxies that lose answers: between services, where they follow HTTP/2, and before PostgreSQL.

A fault is armed for one method, or one COMMIT, and strikes once: the request is forwarded and done, and its answer never
arrives. That leaves the caller with what every caller has to be able to live with: an unknown outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from hpack import Decoder
from hpack.exceptions import HPACKError

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _CONTINUATION = 0, 1, 9
_PADDED, _PRIORITY, _END_HEADERS = 0x8, 0x20, 0x4


class Fault(Enum):
    """What happens to a call."""

    DROP_REPLY = "drop-reply"
    """It is forwarded and answered; the answer is swallowed and the connection cut."""
    CUT = "cut"
    """The connection is cut before the call is forwarded."""
    HALF_CLOSE = "half-close"
    """It is forwarded; instead of the answer the caller sees the end of the stream, while its own side stays open."""
    DELAY = "delay"
    """The answer, and all that follows it, comes late."""


DELAY_SECONDS = 1.5


@dataclass(slots=True)
class Proxy:
    """Listens on ports of its own: `port` leads to `upstream`, and `inner_port` to `inner_upstream`."""

    upstream: int = 0
    port: int = 0
    inner_upstream: int = 0
    """Of a service: where it listens for the others."""
    inner_port: int = 0
    fault: Fault | None = None
    wanted: str = ""
    """The method that the fault waits for, such as `ReserveStock`; for PostgreSQL `COMMIT`."""
    skip: int = 0
    """How many of them pass before it strikes."""
    struck: int = 0
    seen: list[str] = field(default_factory=list)
    """Methods that were called, or COMMITs."""
    _servers: list[asyncio.Server] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Begins to listen."""
        self.port = await self._listen(lambda: self.upstream)
        self.inner_port = await self._listen(lambda: self.inner_upstream)

    async def _listen(self, upstream: Callable[[], int]) -> int:
        server = await asyncio.start_server(lambda reader, writer: self._serve(reader, writer, upstream()), "127.0.0.1", 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Ends, with every connection."""
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def arm(self, fault: Fault, wanted: str, skip: int = 0) -> None:
        """The next call of this name after `skip` others is struck."""
        self.fault, self.wanted, self.skip, self.struck = fault, wanted, skip, 0

    def disarm(self) -> None:
        """Lets everything pass."""
        self.fault = None

    def take(self, name: str) -> Fault | None:
        """The fault for a call of this name, which is then used up."""
        self.seen.append(name)
        if self.fault is None or name != self.wanted:
            return None
        if self.skip:
            self.skip -= 1
            return None
        found, self.fault = self.fault, None
        self.struck += 1
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: int) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._connect(reader, writer, upstream)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: int) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", upstream)
        try:
            first = await reader.read(4)
            http2 = first == _PREFACE[:4]
            line: _Connection = _Http2(self) if http2 else _Postgres(self)
            far_writer.write(line.up(first))
            pumps = [
                asyncio.create_task(_pump(reader, far_writer, line.up, line)),
                asyncio.create_task(_pump(far_reader, writer, line.down, line)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if line.half_closed and writer.can_write_eof():
                writer.write_eof()
                await asyncio.wait(pumps, timeout=1.0)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            far_writer.close()


class _Cut(Exception):
    """The connection ends here."""


class _Connection:
    """What is known about one connection; `up` and `down` return the bytes to pass on."""

    half_closed = False
    delayed = False

    def up(self, data: bytes) -> bytes:
        """From the caller."""
        raise NotImplementedError

    def down(self, data: bytes) -> bytes:
        """To the caller."""
        raise NotImplementedError


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, step: Callable[[bytes], bytes], line: _Connection
) -> None:
    with contextlib.suppress(_Cut, OSError):
        while data := await reader.read(65_536):
            passed = step(data)
            if line.delayed:
                line.delayed = False
                await asyncio.sleep(DELAY_SECONDS)
            writer.write(passed)
            await writer.drain()


class _Http2(_Connection):
    """Follows the frames of both directions: which stream carries which method."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._decoder = Decoder()
        self._up = b""
        self._down = b""
        self._preface = len(_PREFACE)
        self._block: tuple[int, bytes] | None = None
        self._faults: dict[int, Fault] = {}

    def up(self, data: bytes) -> bytes:
        """Reads the names of calls; a call that is to be cut goes no further."""
        out = data[: self._preface]
        self._preface -= len(out)
        self._up += data[len(out) :]
        while (frame := _frame(self._up)) is not None:
            kind, flags, stream, payload, raw = frame
            self._up = self._up[len(raw) :]
            if kind == _HEADERS:
                self._block = (stream, _stripped(payload, flags))
            elif kind == _CONTINUATION and self._block is not None:
                self._block = (stream, self._block[1] + payload)
            if kind in (_HEADERS, _CONTINUATION) and flags & _END_HEADERS and self._block is not None:
                self._called(*self._block)
                self._block = None
            out += raw
        return out

    def _called(self, stream: int, block: bytes) -> None:
        with contextlib.suppress(HPACKError):
            for name, value in self._decoder.decode(block, raw=True):
                if name == b":path":
                    fault = self._proxy.take(value.decode().rsplit("/", 1)[-1])
                    if fault is Fault.CUT:
                        raise _Cut
                    if fault is not None:
                        self._faults[stream] = fault

    def down(self, data: bytes) -> bytes:
        """Lets frames pass until the answer of a struck call comes."""
        self._down += data
        out = b""
        while (frame := _frame(self._down)) is not None:
            kind, _, stream, _, raw = frame
            self._down = self._down[len(raw) :]
            fault = self._faults.pop(stream, None) if kind in (_HEADERS, _DATA) else None
            if fault is Fault.DROP_REPLY:
                raise _Cut
            if fault is Fault.HALF_CLOSE:
                self.half_closed = True
                raise _Cut
            self.delayed = self.delayed or fault is Fault.DELAY
            out += raw
        return out


def _frame(data: bytes) -> tuple[int, int, int, bytes, bytes] | None:
    """(type, flags, stream, payload, all of it) of the first whole frame."""
    if len(data) < 9:
        return None
    length = int.from_bytes(data[:3], "big")
    if len(data) < 9 + length:
        return None
    stream = int.from_bytes(data[5:9], "big") & 0x7FFFFFFF
    return data[3], data[4], stream, data[9 : 9 + length], data[: 9 + length]


def _stripped(payload: bytes, flags: int) -> bytes:
    padding = 0
    if flags & _PADDED:
        padding, payload = payload[0], payload[1:]
    if flags & _PRIORITY:
        payload = payload[5:]
    return payload[: len(payload) - padding]


class _Postgres(_Connection):
    """Knows a COMMIT when it sees one."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._fault: Fault | None = None

    def up(self, data: bytes) -> bytes:
        """A COMMIT is a simple query; it is sent alone."""
        if data[:1] == b"Q" and data[5:11].upper() == b"COMMIT":
            self._fault = self._proxy.take("COMMIT")
            if self._fault is Fault.CUT:
                raise _Cut
        return data

    def down(self, data: bytes) -> bytes:
        """The answer to the COMMIT that was struck does not pass."""
        fault, self._fault = self._fault, None
        if fault in (Fault.DROP_REPLY, Fault.HALF_CLOSE):
            self.half_closed = fault is Fault.HALF_CLOSE
            raise _Cut
        self.delayed = fault is Fault.DELAY
        return data


@contextlib.asynccontextmanager
async def proxies(names: Iterable[str]) -> AsyncIterator[dict[str, Proxy]]:
    """Proxies by name, listening; their upstreams are set later."""
    made = {name: Proxy() for name in names}
    for proxy in made.values():
        await proxy.start()
    try:
        yield made
    finally:
        for proxy in made.values():
            await proxy.stop()
