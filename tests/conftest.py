"""Fixtures of all tests."""

import pytest

from tests.support.databases import backend, begin_run, cluster_database, database_url, databases, postgres_url

__all__ = ["backend", "cluster_database", "database_url", "databases", "postgres_url"]


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is collected, in the process that starts the workers and in each worker."""
    begin_run(config)
