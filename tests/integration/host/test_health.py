"""`waybill health` as containers ask it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from services.host.process.embedded import running
from services.host.process.settings import HostSettings
from tests.support.process import said
from tests.support.sealing import SEALING_KEY


async def _asked(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    answer, _ = await process.communicate()
    return process.returncode or 0, answer.decode().strip()


async def test_a_server_that_serves_is_healthy_and_one_that_has_ended_is_not(tmp_path: Path) -> None:
    async with running(HostSettings(data=tmp_path)) as host:
        assert await said("health", "--server", host.address) == (0, "SERVING\n", "")
        assert await _asked("services.host.process.health", host.address) == (0, "SERVING")
    code, answer = await _asked("services.host.process.health", host.address)
    assert code == 1
    assert answer.startswith("UNAVAILABLE")


async def test_a_service_that_the_server_does_not_have_is_not_healthy(tmp_path: Path) -> None:
    async with running(HostSettings(data=tmp_path, only="directory", sealing_key=SEALING_KEY)) as host:
        service = "waybill.order.v1.OrderService"
        code, output, _ = await said("health", "--server", host.address, "--service", service)
    assert code == 1
    assert output.startswith("NOT_FOUND")
