"""A door before a TCP server: shut, it refuses and cuts connections, as if the server had been stopped; silent, it lets
connections in and nothing through, as if the server or the network were frozen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.support.ports import free_port


@dataclass(slots=True)
class Gate:
    """Leads from a port of the loopback to `host:port`."""

    host: str
    port: int
    own: int = field(default_factory=free_port)
    """Its own port, the same each time it is opened."""
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> None:
        """Lets connections through."""
        self._flowing.set()
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.own)

    async def shut(self) -> None:
        """Refuses new connections, and cuts those there are."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    def freeze(self) -> None:
        """Keeps what is sent, either way."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Lets through what was kept, and what follows."""
        self._flowing.set()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self.host, self.port)
        self._open |= {writer, back}
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        self._open -= {writer, back}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def gate(host: str, port: int) -> AsyncIterator[Gate]:
    """An open one; shut for good when the block ends."""
    made = Gate(host, port)
    await made.open()
    try:
        yield made
    finally:
        await made.shut()
