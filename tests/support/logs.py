"""What is logged, as tests see it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from libs.obs import configure_logging


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, as JSON lines. Ask for it before the server."""
    out = io.StringIO()
    configure_logging("DEBUG", json=True, stream=out)
    yield out
    structlog.reset_defaults()


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    """The lines logged so far."""
    return [json.loads(line) for line in log.getvalue().splitlines()]
