"""Marketplaces that are attacked by all tests, which run in the loop that serves them; the counts at the end of the run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.attacks.proxied import Proxied, proxied
from tests.attacks.tally import Tally, summed
from tests.attacks.target import Target, target


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests run in the loop that serves the marketplace."""
    for item in items:
        if {"target_market", "proxied_market"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def target_market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    """What is attacked."""
    async with target(tmp_path_factory) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def proxied_market(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Proxied]:
    """What is attacked from many addresses."""
    async with proxied(tmp_path_factory) as made:
        yield made


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Counts the attacks of a test."""
    return Tally(request)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each kind of attack."""
    passed, failed = (terminalreporter.stats.get(word, []) for word in ("passed", "failed"))
    held, tried = summed(passed), summed([*passed, *failed])
    if not tried:
        return
    terminalreporter.section("attacks held")
    for kind, count in sorted(tried.items()):
        terminalreporter.write_line(f"{held[kind]:>8,} of {count:<8,} {kind}")
    terminalreporter.write_line(f"{held.total():>8,} of {tried.total():<8,} in all")
