"""The floor: bare gRPC handlers, 8 RPCs and 5 durable transactions through the raw driver, writing the same bytes.

It is what a checkout cannot be faster than with these parts: no validation, no conversion, no business. One process is the
coordinator; it calls the others (or itself) seven times, five of those calls commit a row.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import uuid
from typing import Any

import asyncpg
import grpc

CALLS = 7
COMMITS = 5
BYTES = 6_000
"""What the transactions of a three-line checkout write, together."""
PAYLOAD = b"x" * (BYTES // COMMITS)
_TABLE = "CREATE TABLE IF NOT EXISTS floor (id TEXT PRIMARY KEY, body {})"


class Store:
    """One durable transaction per write."""

    async def write(self) -> None:
        """Commits a row."""


class LiteStore(Store):
    """SQLite, in the loop's thread, full sync."""

    def __init__(self, path: str) -> None:
        self._conn = sqlite3.connect(path, isolation_level=None)
        self._conn.execute("PRAGMA journal_mode=WAL")
        self._conn.execute("PRAGMA synchronous=FULL")
        self._conn.execute(_TABLE.format("BLOB"))
        self._lock = asyncio.Lock()

    async def write(self) -> None:
        async with self._lock:
            self._conn.execute("BEGIN IMMEDIATE")
            self._conn.execute("INSERT INTO floor VALUES (?, ?)", (uuid.uuid4().hex, PAYLOAD))
            self._conn.execute("COMMIT")


class PostgresStore(Store):
    """asyncpg."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def write(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO floor VALUES ($1, $2)", uuid.uuid4().hex, PAYLOAD)


async def open_store(url: str) -> Store:
    """A store by URL."""
    if url.startswith("sqlite:"):
        return LiteStore(url.removeprefix("sqlite:"))
    pool = await asyncpg.create_pool(url, min_size=1, max_size=10)
    await pool.execute("CREATE TABLE IF NOT EXISTS floor (id text PRIMARY KEY, body bytea)")
    return PostgresStore(pool)


class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
    """/floor/checkout coordinates, /floor/write commits, /floor/read does nothing."""

    def __init__(self, store: Store, peers: list[str]) -> None:
        self._store = store
        self._channels = [grpc.aio.insecure_channel(peer) for peer in peers]
        self._calls = [
            self._channels[i % len(self._channels)].unary_unary(f"/floor/{'write' if i < COMMITS else 'read'}")
            for i in range(CALLS)
        ]

    def service(self, details: Any) -> Any:
        """A handler by method."""
        return grpc.unary_unary_rpc_method_handler(getattr(self, details.method.rsplit("/", 1)[1]))

    async def checkout(self, request: bytes, context: Any) -> bytes:
        """Eight RPCs with the caller's own; reads first, then the writes in two waves, as a submit has them."""
        await asyncio.gather(*(call(request) for call in self._calls[COMMITS:]))
        await asyncio.gather(*(call(request) for call in self._calls[:3]))
        await asyncio.gather(*(call(request) for call in self._calls[3:COMMITS]))
        return request

    async def write(self, request: bytes, context: Any) -> bytes:
        """One durable transaction."""
        await self._store.write()
        return request

    async def read(self, request: bytes, context: Any) -> bytes:
        """Nothing but the call."""
        return request


async def main(bind: str, url: str, peers: list[str]) -> None:
    """Serves until it is ended."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Handler(await open_store(url), peers),))
    server.add_insecure_port(bind)
    await server.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3].split(",")))
