"""Fixtures of all tests."""

import pytest
from hypothesis import HealthCheck, settings

from services.host.process.garbage_collection import settle
from tests.support import engines, event_loops, logs, reuse, scratch, sealing
from tests.support.databases import (
    backend,
    begin_run,
    cluster_database,
    database_url,
    databases,
    other_database_url,
    postgres_url,
    prepared,
    prepared_files,
    run_summary,
)
from tests.support.promises import Promises
from tests.support.times import Times

# How fast a machine draws examples is no property of the code.
# `make test-long` draws the deep number; the nightly one is for a few files at a time, such as those of tests/unit/money.
settings.register_profile("waybill", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
settings.register_profile("deep", settings.get_profile("waybill"), max_examples=500)
settings.register_profile("nightly", settings.get_profile("waybill"), max_examples=10_000)
settings.load_profile("waybill")

__all__ = [
    "backend",
    "cluster_database",
    "database_url",
    "databases",
    "other_database_url",
    "postgres_url",
    "prepared",
    "prepared_files",
]


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is collected, in the process that starts the workers and in each worker."""
    scratch.begin()
    sealing.begin()
    begin_run(config)
    reuse.begin()
    event_loops.begin()
    engines.begin()
    logs.plain()
    config.pluginmanager.register(Times(), "times")
    config.pluginmanager.register(Promises(), "promises")


def pytest_collection_finish() -> None:
    """What was imported and collected stays for the whole run."""
    settle()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says in the last lines which PostgreSQL the tests ran on."""
    said = run_summary()
    if said:
        terminalreporter.write_line(said)
