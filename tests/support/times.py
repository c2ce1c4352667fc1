"""Where a run's time goes: every run ends with the seconds of each folder, beside the slowest tests that pytest names."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass

import pytest

from tests.support.forks import FORKS


@dataclass(slots=True)
class Spent:
    """What the tests of a folder took."""

    tests: int = 0
    seconds: float = 0.0
    """By the wall, added over the workers."""
    cpu_seconds: float = 0.0
    """Of the tests' process and of the processes that it has waited for; a PostgreSQL server is not among them."""


class Times:
    """Measures in the process that runs tests, adds up in the one that reports."""

    def __init__(self) -> None:
        self._before = _cpu_seconds()
        self._folders: defaultdict[str, Spent] = defaultdict(Spent)

    def pytest_collection_finish(self) -> None:
        """The first test does not answer for what was collected."""
        self._before = _cpu_seconds()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> object:
        """Writes the processor's time into the report of a phase, which a worker sends on as it is."""
        report = yield
        now = _cpu_seconds()
        report.cpu_seconds, self._before = now - self._before, now
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Adds a phase to its folder."""
        spent = self._folders[report.nodeid.split("::")[0].rpartition("/")[0]]
        spent.tests += report.when == "call"
        spent.seconds += report.duration
        spent.cpu_seconds += getattr(report, "cpu_seconds", 0.0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The dearest folder first."""
        if not self._folders:
            return
        terminalreporter.section("time per folder")
        for folder, spent in sorted(self._folders.items(), key=lambda of: -of[1].seconds):
            line = f"{spent.seconds:8.1f} s {spent.cpu_seconds:8.1f} s of CPU {spent.tests:6} tests  {folder}"
            terminalreporter.write_line(line)


def _cpu_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system + FORKS.cpu_seconds
