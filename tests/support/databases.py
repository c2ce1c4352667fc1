"""Fixtures: every store test runs on SQLite and on PostgreSQL, in a database of its own."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.support import postgres

Databases = Callable[[str], Awaitable[tuple[str, str | None]]]
BACKENDS = ("sqlite", "postgresql")
_FOLDER = "WAYBILL_TEST_RUN_FOLDER"


def begin_run(config: pytest.Config) -> None:
    """Makes the folder that all workers of a run find their one PostgreSQL server through."""
    if _FOLDER not in os.environ:
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="waybill-tests-")
        # The process that began the run outlives its workers, so it ends what they share.
        config.add_cleanup(_end_run)


def run_summary() -> str:
    """Which PostgreSQL the run used; empty when it used none."""
    source = postgres.shared_source(Path(os.environ[_FOLDER]))
    return f"PostgreSQL of this run: {source}" if source else ""


def _end_run() -> None:
    postgres.stop_shared(Path(os.environ.pop(_FOLDER)))


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A server, the same for all workers of a run."""
    try:
        return postgres.shared(Path(os.environ[_FOLDER]))
    except postgres.NoPostgresError as error:
        why = str(error)
    pytest.fail(why, pytrace=False)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other."""
    return str(request.param)


@pytest.fixture
async def databases(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Databases]:
    """Makes (url, schema) pairs, fresh for the test and gone after it."""
    made: list[str] = []
    server = request.getfixturevalue("postgres_url") if backend == "postgresql" else ""

    async def make(context: str) -> tuple[str, str | None]:
        if backend == "sqlite":
            return f"sqlite:///{tmp_path / f'{context}-{uuid.uuid4().hex[:8]}.sqlite3'}", None
        made.append(f"t{uuid.uuid4().hex[:12]}_{context}")
        return server, made[-1]

    yield make
    if made:
        # A transaction that a test left open must fail that test, not hang the run.
        connection = await asyncpg.connect(server, server_settings={"lock_timeout": "20s"})
        try:
            for schema in made:
                await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        finally:
            await connection.close()


@pytest.fixture
async def database_url(backend: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """For a whole marketplace: empty for SQLite, else a PostgreSQL database of its own."""
    if backend == "sqlite":
        yield ""
        return
    async with _database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
async def other_database_url(backend: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A second one of the same kind."""
    if backend == "sqlite":
        yield ""
        return
    async with _database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
async def cluster_database(postgres_url: str) -> AsyncIterator[str]:
    """A PostgreSQL database of its own, for what only PostgreSQL has a part in."""
    async with _database(postgres_url) as url:
        yield url


@asynccontextmanager
async def _database(server: str) -> AsyncIterator[str]:
    name = f"t{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()
