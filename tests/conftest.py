"""Fixtures of all tests."""

from tests.support.databases import backend, database_url, databases, postgres_url

__all__ = ["backend", "database_url", "databases", "postgres_url"]
