"""Named places where a process can be made to die or fail, so that tests can stop it exactly there."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

KILLED = 137
"""Exit code of a process that died at a failpoint, as if by SIGKILL."""


class Failpoints:
    """Armed places. Unarmed ones cost a dictionary look-up."""

    def __init__(self) -> None:
        self._armed: dict[str, Callable[[], Awaitable[None]]] = {}

    @staticmethod
    def from_env(text: str | None) -> Failpoints:
        """Reads `name=kill;other=raise`."""
        points = Failpoints()
        for part in filter(None, (text or "").split(";")):
            name, _, action = part.partition("=")
            if action not in ("kill", "raise"):
                raise ValueError(f"failpoint {name!r}: the action is kill or raise, not {action!r}")
            points.arm(name, _die if action == "kill" else _fail)
        return points

    def arm(self, name: str, action: Callable[[], Awaitable[None]]) -> None:
        """Runs `action` whenever the place is reached."""
        self._armed[name] = action

    def disarm(self, name: str) -> None:
        """Lets the place pass again."""
        self._armed.pop(name, None)

    async def reach(self, name: str) -> None:
        """Marks the place."""
        action = self._armed.get(name)
        if action is not None:
            await action()


async def _die() -> None:
    os._exit(KILLED)


async def _fail() -> None:
    raise RuntimeError("failpoint")
