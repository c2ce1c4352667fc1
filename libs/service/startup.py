"""Why a process cannot start."""

from __future__ import annotations


class StartupError(Exception):
    """The text is for people, one line, without secrets."""

    exit_code = 1
    reason = "START_FAILED"
    """The same for machines."""
