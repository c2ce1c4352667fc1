"""One composed system for the tier; the demo is played in it once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import engine
from tests.support.composed import Composed, composed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Building an image and starting nine containers takes its time."""
    for item in items:
        item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    """This tier fails without an engine."""
    if not engine.answers():
        pytest.exit("tests in containers need an engine, and none answers: install Docker and start it", returncode=1)


@pytest.fixture(scope="session")
def system(_engine: None) -> Iterator[Composed]:
    """PostgreSQL, the seven services, two replicas of order."""
    with composed() as made:
        yield made


@pytest.fixture(scope="session")
def story(system: Composed) -> dict[str, Any]:
    """What the demo prints of its order."""
    played = system.waybill("demo", "--json", *system.servers())
    assert played.returncode == 0, played.stdout + played.stderr
    story: dict[str, Any] = json.loads(played.stdout)
    return story
