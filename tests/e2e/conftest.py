"""Marketplaces for tests: one of a test's own, on PostgreSQL and where a test is marked `on_sqlite` on SQLite too, or one that
runs for as long as the worker does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from libs.rpc.health_limits import HealthLimits
from tests.support.databases import run_folder
from tests.support.marketplace import Marketplace, marketplace
from tests.support.own_orders import orders_judged
from tests.support.prepared import Prepared, copied_database, copied_files

SHARED = {"shared_market", "shared_sqlite_market", "idle_market"}
SELDOM = HealthLimits(health_pause=3_600.0, health_dependency_pause=3_600.0)


@asynccontextmanager
async def asleep(made: Marketplace) -> AsyncIterator[None]:
    """Nothing runs in the background. The loop that serves a shared marketplace stands still while tests run that have loops of
    their own, and a transaction that stands still with it would keep every feed of the database server waiting."""
    await made.host.server.end_background()
    try:
        yield
    finally:
        made.host.server.run_background()


@asynccontextmanager
async def awake(made: Marketplace) -> AsyncIterator[None]:
    """Its background runs, for the length of a test."""
    made.host.server.run_background()
    try:
        yield
    finally:
        await made.host.server.end_background()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What uses a marketplace that outlives the test runs in the loop that serves it."""
    for item in items:
        if SHARED & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Which databases a test runs on: the wiring is the same, so what the embedded default adds is shown by a part of them."""
    if "backend" not in metafunc.fixturenames:
        return
    found: list[object] = ["postgresql"]
    marker = metafunc.definition.get_closest_marker("on_sqlite")
    if marker is not None:
        found.insert(0, pytest.param("sqlite", marks=[pytest.mark.long] if marker.kwargs.get("long") else []))
    metafunc.parametrize("backend", found, indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """The database of a test."""
    return str(request.param)


@pytest.fixture
async def market(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Marketplace]:
    """A marketplace that is checked when the test ends."""
    async with marketplace(tmp_path, prepared.database_url, secret=prepared.secret) as made:
        yield made


@pytest.fixture
async def sqlite_market(tmp_path: Path, prepared_files: Prepared) -> AsyncIterator[Marketplace]:
    """The same on SQLite only, for what no database has a part in."""
    async with marketplace(tmp_path, secret=prepared_files.secret) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_market(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> AsyncIterator[Marketplace]:
    """What `shared_market` gives to all; whatever they left behind is judged when the last has ended."""
    data = tmp_path_factory.mktemp("shared")
    async with (
        copied_database(run_folder(), postgres_url) as copy,
        marketplace(data, copy.database_url, secret=copy.secret, health=SELDOM) as made,
        asleep(made),
    ):
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_sqlite_market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Marketplace]:
    """The same for `shared_sqlite_market`."""
    data = tmp_path_factory.mktemp("shared")
    copy = await copied_files(run_folder(), data)
    async with marketplace(data, secret=copy.secret, health=SELDOM) as made, asleep(made):
        yield made


@pytest.fixture
def running_on_backend(backend: str, request: pytest.FixtureRequest) -> Marketplace:
    """The one that runs on the database of the test."""
    found: Marketplace = request.getfixturevalue("running_sqlite_market" if backend == "sqlite" else "running_market")
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def shared_market(running_on_backend: Marketplace) -> AsyncIterator[Marketplace]:
    """A marketplace on PostgreSQL that other tests use too; of a test that is marked `on_sqlite`, one on SQLite as well.

    A test that takes it makes orders under ids that no other test uses, looks only at those, and leaves what is set up as it
    was; it has no asynchronous fixtures of its own. When it ends, the contexts must agree about the orders that it made.
    """
    async with awake(running_on_backend), orders_judged(running_on_backend):
        yield running_on_backend


@pytest_asyncio.fixture(loop_scope="session")
async def idle_market(running_on_backend: Marketplace) -> AsyncIterator[Marketplace]:
    """The marketplace of `shared_market` while nothing runs in the background: what a call leaves undone stays so."""
    async with orders_judged(running_on_backend):
        yield running_on_backend


@pytest_asyncio.fixture(loop_scope="session")
async def shared_sqlite_market(running_sqlite_market: Marketplace) -> AsyncIterator[Marketplace]:
    """The same on SQLite, for what no database has a part in."""
    async with awake(running_sqlite_market), orders_judged(running_sqlite_market):
        yield running_sqlite_market
