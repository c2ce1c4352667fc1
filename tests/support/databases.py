"""Fixtures: every store test runs on SQLite and on PostgreSQL, in a database that nobody else uses meanwhile."""

from __future__ import annotations

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from services.host.contexts import CONTEXTS
from tests.support import engines, postgres
from tests.support.migrated import drop_migrated, migrated_file, migrated_schema
from tests.support.prepared import Prepared, copied_database, copied_files, drop_original, own_database

Databases = Callable[[str], Awaitable[tuple[str, str | None]]]
BACKENDS = ("sqlite", "postgresql")
_FOLDER = "WAYBILL_TEST_RUN_FOLDER"


def begin_run(config: pytest.Config) -> None:
    """Makes the folder that all workers of a run find their one PostgreSQL server through."""
    if _FOLDER not in os.environ:
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="waybill-tests-")
        # The process that began the run outlives its workers, so it ends what they share.
        config.add_cleanup(_end_run)


def run_folder() -> Path:
    """What all workers of a run share."""
    return Path(os.environ[_FOLDER])


def run_summary() -> str:
    """Which PostgreSQL the run used; empty when it used none."""
    server = postgres.shared_server(run_folder())
    return f"PostgreSQL of this run: {server.source}" if server is not None else ""


def _end_run() -> None:
    folder = Path(os.environ.pop(_FOLDER))
    server = postgres.shared_server(folder)
    if server is not None and not server.ours:
        asyncio.run(drop_original(folder, server.url))
    postgres.stop_shared(folder)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server, the same for all workers of a run."""
    try:
        url = postgres.shared(run_folder())
    except postgres.NoPostgresError as error:
        why = str(error)
    else:
        yield url
        engines.end()
        asyncio.run(drop_migrated())
        engines.end()
        return
    pytest.fail(why, pytrace=False)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Both databases, one after the other."""
    return str(request.param)


@pytest.fixture
async def databases(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Databases]:
    """Makes (url, schema) pairs that are the test's own: for a service migrated and without rows, for any other name empty."""
    server = request.getfixturevalue("postgres_url") if backend == "postgresql" else ""
    async with AsyncExitStack() as stack:

        async def make(context: str) -> tuple[str, str | None]:
            if backend == "sqlite":
                file = tmp_path / f"{context}-{uuid.uuid4().hex[:8]}.sqlite3"
                if context in CONTEXTS:
                    await migrated_file(run_folder(), context, file)
                return f"sqlite:///{file}", None
            if context in CONTEXTS:
                return server, await stack.enter_async_context(migrated_schema(server, context))
            return server, await stack.enter_async_context(_own_schema(server, context))

        yield make


@asynccontextmanager
async def _own_schema(server: str, name: str) -> AsyncIterator[str]:
    schema = f"t{uuid.uuid4().hex[:12]}_{name}"
    yield schema
    # A transaction that a test left open must fail that test, not hang the run.
    connection = await asyncpg.connect(server, server_settings={"lock_timeout": "20s"})
    try:
        await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
    finally:
        await connection.close()


@pytest.fixture
async def database_url(backend: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """For a whole marketplace: empty for SQLite, else a PostgreSQL database of its own."""
    if backend == "sqlite":
        yield ""
        return
    async with own_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
async def other_database_url(backend: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A second one of the same kind."""
    if backend == "sqlite":
        yield ""
        return
    async with own_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
async def prepared(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Prepared]:
    """A marketplace that is set up and waits to be served: in `tmp_path`, or in a PostgreSQL database of its own."""
    run = run_folder()
    if backend == "sqlite":
        yield await copied_files(run, tmp_path)
        return
    async with copied_database(run, request.getfixturevalue("postgres_url")) as copy:
        yield copy


@pytest.fixture
async def prepared_files(tmp_path: Path) -> Prepared:
    """The same on SQLite only."""
    return await copied_files(run_folder(), tmp_path)


@pytest.fixture
async def cluster_database(postgres_url: str) -> AsyncIterator[str]:
    """A PostgreSQL database of its own, for what only PostgreSQL has a part in."""
    async with own_database(postgres_url) as url:
        yield url
