"""Named places where a process can be made to die or fail, so that tests can stop it exactly there.

Two kinds. *Named* points stand in the code of a use case and are armed by name. *Automatic* points surround every
commit and every call to another service, and stand before whatever a relay sends; they exist only in a process that is
watched (`WAYBILL_FAILPOINTS_DIR`), whose folder says what is armed and keeps what was reached.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

KILLED = 137
"""Exit code of a process that died at a failpoint, as if by SIGKILL."""


def numbered(name: str, time: int) -> str:
    """The name of a place that is reached for the first, second, ... time."""
    return name if time == 1 else f"{name}#{time}"


class Watch:
    """The folder through which a test watches and kills processes.

    `hits` collects one line per place reached; `armed` holds the name of the place at which the process that reaches it
    dies, or stops as by SIGSTOP if `=pause` follows; that process renames the file to `fired`. A place that is reached
    more than once is named by which time it is, over all processes: `name` is the first, `name#2` the second.
    `no-idempotency` switches idempotency off, so that a test can show that it would notice.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def reach(self, name: str) -> None:
        """Marks the place; does not return where it is armed."""
        name = numbered(name, self._count(name))
        armed = self._folder / "armed"
        try:
            wanted, _, action = armed.read_text().strip().partition("=")
        except FileNotFoundError:
            return
        if wanted != name:
            return
        try:
            armed.rename(self._folder / "fired")
        except FileNotFoundError:
            return
        if action == "pause":
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            os._exit(KILLED)

    def _count(self, name: str) -> int:
        """Which time it is. What stands before the line that is appended now was there first, whoever wrote it."""
        hits = os.open(self._folder / "hits", os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(hits, f"{name}\n".encode())
            return os.pread(hits, os.lseek(hits, 0, os.SEEK_CUR), 0).split(b"\n").count(name.encode())
        finally:
            os.close(hits)

    @property
    def idempotency_off(self) -> bool:
        """Whether the test wants to see what happens without request ids."""
        return (self._folder / "no-idempotency").exists()


def watch_of(environment: Mapping[str, str]) -> Watch | None:
    """The watch that an environment asks for."""
    folder = environment.get("WAYBILL_FAILPOINTS_DIR")
    return Watch(Path(folder)) if folder else None


WATCHED: Watch | None = watch_of(os.environ)
"""Set in a watched process only."""


def place() -> str:
    """The use case that is running, as `order.SubmitOrder.decide`: the nearest frame that belongs to a service."""
    frame = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("services."):
            return f"{module.split('.')[1]}.{frame.f_code.co_qualname.replace('.<locals>', '').replace('.<lambda>', '')}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return "process"


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
        if WATCHED is not None:
            await WATCHED.reach(name)
        action = self._armed.get(name)
        if action is not None:
            await action()


async def _die() -> None:
    os._exit(KILLED)


async def _fail() -> None:
    raise RuntimeError("failpoint")
