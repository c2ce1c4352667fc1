"""Fixtures: every store test runs on SQLite and on PostgreSQL, in a database of its own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.support.postgres import postgres

Databases = Callable[[str], Awaitable[tuple[str, str | None]]]
BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server for this worker."""
    with postgres() as url:
        yield url


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other."""
    return str(request.param)


@pytest.fixture
async def databases(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Databases]:
    """Makes (url, schema) pairs, fresh for the test and gone after it."""
    made: list[str] = []

    async def make(context: str) -> tuple[str, str | None]:
        if backend == "sqlite":
            return f"sqlite:///{tmp_path / f'{context}-{uuid.uuid4().hex[:8]}.sqlite3'}", None
        made.append(f"t{uuid.uuid4().hex[:12]}_{context}")
        return request.getfixturevalue("postgres_url"), made[-1]

    yield make
    if made:
        connection = await asyncpg.connect(request.getfixturevalue("postgres_url"))
        for schema in made:
            await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        await connection.close()


@pytest.fixture
async def database_url(backend: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """For a whole marketplace: empty for SQLite, else a PostgreSQL database of its own."""
    if backend == "sqlite":
        yield ""
        return
    server = request.getfixturevalue("postgres_url")
    name = f"t{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(server)
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield f"{server.rsplit('/', 1)[0]}/{name}"
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.close()
