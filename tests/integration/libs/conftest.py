"""Fixtures of the rpc layer's tests."""

from tests.support.logs import log

__all__ = ["log"]
