"""Background loops in the hands of a test: they do one step at a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from libs.service.app import ServiceApp


def steps(app: ServiceApp) -> dict[str, Callable[[], Awaitable[Any]]]:
    """One look of each of a service's background loops, by the class that it belongs to."""
    found = ((getattr(loop.once, "__self__", None), loop.once) for loop in app.background)
    return {type(owner).__name__: once for owner, once in found if owner is not None}
