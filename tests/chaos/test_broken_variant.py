"""The enumeration must be able to fail: without idempotency it does, and says where."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.support.composed import ROOT


@pytest.mark.timeout(600)
async def test_an_enumeration_with_idempotency_switched_off_fails_at_the_commit_whose_call_is_repeated() -> None:
    command = ("-m", "tests.chaos", "failpoints", "--scenario", "ship", "--broken")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=ROOT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    said = output.decode()
    assert process.returncode == 1, said
    place = "fulfillment.CreateShipments.__call__:commit:after"
    assert f"FAILED ship at {place}: AssertionError: shipped not exactly once" in said
