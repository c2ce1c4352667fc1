"""Runs `waybill`, its servers too, in copies of one process that has imported everything: imports are most of a start.

This process has neither threads nor channels, so a copy of it begins as a new process would.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from libs import failpoints

PATIENCE = 60.0
PIPE = asyncio.subprocess.PIPE
QUIET = {"GRPC_VERBOSITY": "NONE"}
"""What the command line sets before it imports gRPC."""


@dataclass(slots=True)
class Copy:
    """A command that runs, as `asyncio.subprocess.Process` is one."""

    pid: int
    stdout: asyncio.StreamReader | None
    stderr: asyncio.StreamReader | None
    returncode: int | None = None
    """Nothing while it runs."""
    ending: asyncio.Task[int] | None = None

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        assert self.ending is not None
        return await asyncio.shield(self.ending)

    def send_signal(self, number: int) -> None:
        """Nothing happens when it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Forks:
    """The process of the copies, started by the first command of this process."""

    def __init__(self) -> None:
        self._address = ""
        self._starting = threading.Lock()
        self.cpu_seconds = 0.0
        """What all commands took: this process is not the one that waits for them."""

    async def said(self, arguments: tuple[str, ...], environment: Mapping[str, str]) -> tuple[int, str, str]:
        """Runs the command to its end: its exit code, output and errors. Raises TimeoutError."""
        return await asyncio.to_thread(self._said, arguments, environment)

    async def started(
        self, arguments: Sequence[str], environment: Mapping[str, str], output: int = PIPE, errors: int = PIPE
    ) -> Copy:
        """Begins the command. What it writes goes to the given descriptors, or to streams of the answer."""
        into, outlets = _channels(output, errors)
        door = await asyncio.to_thread(self._door)
        try:
            _ask(door, arguments, environment, *into)
        finally:
            for given, descriptor in zip((output, errors), into, strict=True):
                if given == PIPE:
                    os.close(descriptor)
        heard, said = await asyncio.open_unix_connection(sock=door)
        copy = Copy(int(await heard.readline()), *[await _stream(outlet) for outlet in outlets])
        copy.ending = asyncio.create_task(self._ended(copy, heard, said))
        return copy

    async def _ended(self, copy: Copy, heard: asyncio.StreamReader, said: asyncio.StreamWriter) -> int:
        ended = json.loads(await heard.readline())
        said.close()
        self.cpu_seconds += ended["cpu_seconds"]
        copy.returncode = ended["code"]
        return copy.returncode

    def _door(self) -> socket.socket:
        with self._starting:
            if not self._address:
                self._address = _started()
        door = socket.socket(socket.AF_UNIX)
        door.connect(self._address)
        return door

    def _said(self, arguments: tuple[str, ...], environment: Mapping[str, str]) -> tuple[int, str, str]:
        with self._door() as door, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            door.settimeout(PATIENCE)
            _ask(door, arguments, environment, output.fileno(), errors.fileno())
            heard = door.makefile("r")
            process = int(heard.readline())
            try:
                ended = json.loads(heard.readline())
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise
            self.cpu_seconds += ended["cpu_seconds"]
            return ended["code"], _read(output), _read(errors)


FORKS = Forks()


def _channels(*wanted: int) -> tuple[list[int], list[int | None]]:
    """Where a command writes, and where that is read."""
    into: list[int] = []
    outlets: list[int | None] = []
    for descriptor in wanted:
        outlet, inlet = os.pipe() if descriptor == PIPE else (None, descriptor)
        into.append(inlet)
        outlets.append(outlet)
    return into, outlets


async def _stream(outlet: int | None) -> asyncio.StreamReader | None:
    if outlet is None:
        return None
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(outlet, "rb"))
    return reader


def _ask(door: socket.socket, arguments: Sequence[str], environment: Mapping[str, str], output: int, errors: int) -> None:
    asked = json.dumps({"arguments": arguments, "environment": dict(environment)}).encode()
    socket.send_fds(door, [len(asked).to_bytes(4, "big")], [output, errors])
    door.sendall(asked)


def _read(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode())


def _started() -> str:
    folder = tempfile.mkdtemp(prefix="waybill-forks-")
    address = f"{folder}/door"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forks", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **QUIET},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    if process.stdout.readline() != b"ready\n":
        raise RuntimeError("commands cannot be run: see what the process of the copies wrote")
    process.stdout.close()

    def end() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        Path(address).unlink(missing_ok=True)
        os.rmdir(folder)

    atexit.register(end)
    return address


def _serve(address: str) -> None:
    """Until whoever started it is gone."""
    for module in _modules():
        import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        os.write(1, b"ready\n")
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            caller, _ = door.accept()
            if os.fork() == 0:
                door.close()
                _answer(caller)
            caller.close()


def _modules() -> list[str]:
    from services.host.cli import COMMANDS
    from services.host.contexts import CONTEXTS

    of_services = [f"services.{context}.{part}" for context in CONTEXTS for part in ("main", "settings")]
    return [*(place.split(":")[0] for place in COMMANDS.values()), *of_services]


def _answer(caller: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, descriptors, _, _ = socket.recv_fds(caller, 4, 2)
    asked = json.loads(caller.makefile("rb").read(int.from_bytes(head, "big")))
    process = os.fork()
    if process == 0:
        caller.close()
        _run(asked, descriptors)
    caller.sendall(f"{process}\n".encode())
    _, status, used = os.wait4(process, 0)
    ended = {"code": os.waitstatus_to_exitcode(status), "cpu_seconds": used.ru_utime + used.ru_stime}
    with contextlib.suppress(BrokenPipeError):
        caller.sendall(json.dumps(ended).encode() + b"\n")
    os._exit(0)


def _run(asked: dict[str, Any], descriptors: list[int]) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate((nothing, *descriptors)):
        os.dup2(descriptor, number)
    os.environ.clear()
    os.environ.update(asked["environment"])
    # What a new process reads of its environment while it imports.
    failpoints.WATCHED = failpoints.watch_of(os.environ)
    sys.argv = ["waybill", *asked["arguments"]]
    # What names the program in its help is how it was started.
    sys.modules["__main__"].__package__ = None  # type: ignore[assignment]
    code = 1
    try:
        import_module("services.host.cli").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1])
