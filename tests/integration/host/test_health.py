"""`waybill health` as containers ask it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from services.host.process.embedded import running
from services.host.process.settings import HostSettings


async def _asked(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode().strip()


async def test_a_server_that_serves_is_healthy_and_one_that_has_ended_is_not(tmp_path: Path) -> None:
    async with running(HostSettings(data=tmp_path)) as host:
        assert await _asked("services.host.cli", "health", "--server", host.address) == (0, "SERVING")
        assert await _asked("services.host.process.health", host.address) == (0, "SERVING")
    code, said = await _asked("services.host.process.health", host.address)
    assert code == 1
    assert said.startswith("UNAVAILABLE")


async def test_a_service_that_the_server_does_not_have_is_not_healthy(tmp_path: Path) -> None:
    async with running(HostSettings(data=tmp_path, only="directory")) as host:
        code, said = await _asked(
            "services.host.cli", "health", "--server", host.address, "--service", "waybill.order.v1.OrderService"
        )
    assert code == 1
    assert said.startswith("NOT_FOUND")
