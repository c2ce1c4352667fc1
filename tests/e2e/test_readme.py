"""What the README shows is run as it stands there, against a server as a newcomer starts it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import Served, said, served

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
SCRIPT = ROOT / "docs" / "first_steps.py"
GUESTS = ROOT / "docs" / "guest_shop.py"
STEPS = (ROOT / "docs" / "first-steps.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    """Code blocks of a language; every second fence ends one."""
    parts = re.split(r"^```(.*)$", text, flags=re.MULTILINE)
    fenced = [(parts[i], parts[i + 1]) for i in range(1, len(parts) - 1, 4)]
    return [code.strip("\n") for info, code in fenced if info == language]


async def run(path: Path, **environment: str) -> str:
    """Runs a program; returns what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def first_steps(server: Served) -> None:
    """What every newcomer runs."""
    await run(SCRIPT, WAYBILL_SERVER=server.address, WAYBILL_CLIENT_SECRET=server.client_secret)


def test_the_page_of_the_first_steps_shows_the_script() -> None:
    scripts = (SCRIPT, GUESTS)
    assert blocks(STEPS, "python") == [script.read_text().strip("\n") for script in scripts]
    for command, script in zip(blocks(STEPS, ""), scripts, strict=True):
        assert command.endswith(f"{script.relative_to(ROOT)}")


async def test_the_first_steps_can_be_taken_twice_and_the_first_order_runs_as_it_is_written(tmp_path: Path) -> None:
    (order,) = blocks(README, "python")
    assert len([line for line in order.splitlines() if line.strip()]) < 10
    async with served(tmp_path / "data") as server:
        await first_steps(server)
        await first_steps(server)
        program = tmp_path / "order.py"
        program.write_text(order.replace("127.0.0.1:8420", server.address))
        printed = await run(program)
    # 4 x 189.00 + 2 x 64.30, and 9.00 to ship the one parcel.
    assert printed.split() == ["PO1", "893.60", "USD"]


async def test_a_guest_looks_at_the_shop_and_buys_as_the_page_shows(tmp_path: Path) -> None:
    async with served(tmp_path / "data") as server:
        await first_steps(server)
        for _ in range(2):
            printed = await run(GUESTS, WAYBILL_SERVER=server.address, WAYBILL_CLIENT_SECRET=server.client_secret)
    # 189.00, and 9.00 to ship the parcel; every run is another guest with an order of its own.
    assert printed.splitlines() == ["Anvil 189.00 USD", "Work lamp 64.30 USD", "198.00 USD"]


async def test_buf_curl_lists_services_gets_a_token_creates_and_reads_an_order(tmp_path: Path) -> None:
    shell = next(block for block in blocks(README, "") if "buf curl" in block)
    async with served(tmp_path / "data") as server:
        await first_steps(server)
        script = f"set -eu\nPATH={Path(sys.executable).parent}:$PATH\n" + shell.replace("127.0.0.1:8420", server.address)
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=ROOT
        )
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    text = out.decode()
    for service in ("waybill.order.v1.CheckoutService", "waybill.payment.v1.PaymentService", "grpc.health.v1.Health"):
        assert service in text
    assert text.count('"id": "PO2"') == 2
    assert '"status": "ORDER_STATUS_UNSUBMITTED"' in text


def test_help_names_every_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "services.host.cli", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    for command in ("serve", "demo", "check", "import"):
        assert command in shown.stdout


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0"])
async def test_an_address_that_others_can_reach_needs_tls_or_a_word(bind: str) -> None:
    code, _, errors = await said("serve", "--bind", bind)
    assert code == 2
    assert "--insecure" in errors
