"""Logging: structured, one canonical line a call, never a payload or a secret."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_TRACES = ("exception", "stack")
"""Fields of several lines."""
_level = logging.NOTSET


def configure_logging(level: str = "INFO", json: bool = False, stream: TextIO | None = None) -> None:
    """Sets up structlog for the process: JSON for machines, aligned text for people."""
    global _level
    _level = logging.getLevelNamesMapping()[level.upper()]
    renderers: list[Any] = (
        [structlog.processors.JSONRenderer()] if json else [_printable, structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_level),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=True,
    )


class _Shown:
    """A value as it is shown: the renderer takes it as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _printable(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escapes what a terminal would obey or not show as it is: control characters, separators of lines, turned directions.

    Values may come from outside. Traces keep their lines, each after a mark, so that none of them looks like a line of the log.
    """
    for name, value in line.items():
        if name in _TRACES and isinstance(value, str):
            line[name] = "\n".join(f"| {_escaped(part)}" for part in value.split("\n"))
        elif isinstance(value, str):
            # As the text of a program, so that a text that looks like an escape is not taken for one.
            line[name] = value if value.isprintable() else _Shown(_escaped(repr(value)))
        elif not isinstance(value, int | float | None):
            line[name] = _Shown(_escaped(repr(value)))
    return line


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def get_logger(name: str) -> Any:
    """A logger that carries the name of where it is used."""
    # Not bind(): that would settle on the configuration there is now, before the process has read its own.
    return structlog.get_logger(component=name)


def logs(level: int) -> bool:
    """Whether a line of this level is written at all: lines that cost something to put together ask first."""
    return level >= _level
