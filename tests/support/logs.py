"""What is logged, as tests see it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from libs.obs import configure_logging


def plain() -> None:
    """Sets logs up as they are where nobody does, but for errors, which are written without the variables of every frame:
    to draw those takes a fifth of a second each time."""
    structlog.reset_defaults()
    *before, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, renderer])


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, as JSON lines. Ask for it before the server."""
    out = io.StringIO()
    configure_logging("DEBUG", json=True, stream=out)
    yield out
    plain()


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    """The lines logged so far."""
    return [json.loads(line) for line in log.getvalue().splitlines()]
