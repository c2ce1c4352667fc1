"""Logging: structured, one canonical line a call, never a payload or a secret."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog

_level = logging.NOTSET


def configure_logging(level: str = "INFO", json: bool = False, stream: TextIO | None = None) -> None:
    """Sets up structlog for the process: JSON for machines, aligned text for people."""
    global _level
    _level = logging.getLevelNamesMapping()[level.upper()]
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_level),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> Any:
    """A logger that carries the name of where it is used."""
    # Not bind(): that would settle on the configuration there is now, before the process has read its own.
    return structlog.get_logger(component=name)


def logs(level: int) -> bool:
    """Whether a line of this level is written at all: lines that cost something to put together ask first."""
    return level >= _level
