"""Every error that leaves a server of this process is what the contract says of its reason, or the test that runs fails."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from google.rpc import status_pb2

from libs.rpc import status
from libs.rpc.promises import broken_promise


class Promises:
    """Watches the errors of a whole run. What a client swallows is found too, at the end of the test."""

    def __init__(self) -> None:
        self._broken: dict[str, None] = {}
        status.leaving = self._watch

    def _watch(self, left: status_pb2.Status) -> None:
        broken = broken_promise(left)
        if broken:
            self._broken[broken] = None

    def take(self) -> list[str]:
        """What has been found since it was last asked."""
        found, self._broken = list(self._broken), {}
        return found

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Fails the test; one that fails by itself shows what was found beside its own failure."""
        return (yield from self._judged())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """The same for what its fixtures do when it has ended."""
        return (yield from self._judged())

    def _judged(self) -> Generator[None, object, object]:
        try:
            result = yield
        except BaseException as error:
            for broken in self.take():
                error.add_note(f"an error broke the promise of its contract: {broken}")
            raise
        found = self.take()
        if found:
            pytest.fail("errors broke the promise of their contract:\n" + "\n".join(found), pytrace=False)
        return result
