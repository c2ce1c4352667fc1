"""`waybill serve` as a process of its own, to be killed and started again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.forks import FORKS, PIPE, Copy
from tests.support.sealing import SEALING_KEY, sealing_variables

Process = asyncio.subprocess.Process | Copy
COMMAND = (sys.executable, "-m", "services.host.cli")
STDERR = 2
"""The descriptor of this process's own errors."""
SECRET = "what-processes-of-a-test-share-on-one-database"
_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")
_METRICS = re.compile(r"metrics: (\S+)")
_SECRET = re.compile(r"client secret\s+(\S+)")


@dataclass(slots=True)
class Served:
    """A running process."""

    process: Process
    address: str
    client_secret: str
    metrics: str = ""
    """Where its metrics are read, when it was started with `--metrics-bind`."""

    async def died(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.wait_for(self.process.wait(), 30)


async def said(*arguments: str, environment: Mapping[str, str] | None = None, build: Path | None = None) -> tuple[int, str, str]:
    """Runs `waybill` with the arguments to its end: its exit code, output and errors. `build` is the folder of another build."""
    variables = {**os.environ, "COLUMNS": "400", "WAYBILL_SERVICE_SECRET": SECRET}
    variables |= {**sealing_variables(arguments, environment or {}), **(environment or {})}
    if build is None:
        return await FORKS.said(arguments, variables)
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdout=asyncio.subprocess.PIPE, cwd=build, stderr=asyncio.subprocess.PIPE, env=variables
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


async def started(
    *arguments: str, environment: Mapping[str, str], output: int = PIPE, errors: int = STDERR, build: Path | None = None
) -> Process:
    """Begins `waybill` with the arguments, to be waited for; `environment` is all that it knows."""
    if build is None:
        return await FORKS.started(arguments, environment, output, errors)
    return await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdout=output, stderr=errors, env=dict(environment), cwd=build
    )


@asynccontextmanager
async def served(
    data: Path,
    database_url: str = "",
    failpoints: str = "",
    only: str = "",
    options: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    build: Path | None = None,
) -> AsyncIterator[Served]:
    """Starts it, waits until it serves, and ends it if it has not ended itself. `build` is the folder of another build."""
    arguments = ["serve", "--data", str(data), "--bind", "127.0.0.1:0"]
    arguments += ["--log-level", "ERROR", *(["--only", only] if only else []), *options]
    environment = {**os.environ, "WAYBILL_FAILPOINTS": failpoints, "COLUMNS": "400", **(variables or {})}
    if database_url:
        environment |= {"WAYBILL_DATABASE_URL": database_url, "WAYBILL_SERVICE_SECRET": SECRET}
    if database_url or only == "directory":
        environment["WAYBILL_SEALING_KEY"] = SEALING_KEY
    process = await started(*arguments, environment=environment, build=build)
    try:
        yield await _ready(process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 30)


async def _ready(process: Process) -> Served:
    assert process.stdout is not None
    text = ""
    async with asyncio.timeout(30):
        while "data:" not in text or ("A new marketplace" in text and not _SECRET.search(text)):
            line = (await process.stdout.readline()).decode()
            if not line:
                raise RuntimeError(f"the server ended: {text}")
            text += line
            if "data:" in line:
                # The secret, if any, follows at once.
                try:
                    more = await asyncio.wait_for(process.stdout.readline(), 1.0)
                    text += more.decode()
                except TimeoutError:
                    break
    address = _ADDRESS.search(text)
    assert address is not None, text
    secret = _SECRET.search(text)
    metrics = _METRICS.search(text)
    return Served(process, address.group(0), secret.group(1) if secret else "", metrics.group(1) if metrics else "")
