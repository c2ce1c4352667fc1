"""What the client programs find: the archive unpacked, the wheels, and a marketplace that is served."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.test_readme import first_steps
from tests.support.process import Served, served

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release archive, unpacked where nothing else of the repository is."""
    subprocess.run([sys.executable, str(ROOT / "protos" / "release.py")], check=True)
    (made,) = (ROOT / "build").glob("waybill-protos-*.tar.gz")
    folder = tmp_path_factory.mktemp("archive")
    with tarfile.open(made) as tar:
        tar.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Served]:
    """The marketplace of docs/first-steps.md, served by a process of its own."""
    async with served(tmp_path / "data") as server:
        await first_steps(server)
        yield server


@pytest.fixture(scope="session")
def node(archive: Path) -> Path:
    """The folder of the Node programs, with their packages."""
    folder = archive / "docs" / "clients" / "node"
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True)
    return folder


async def done(*command: str, folder: Path) -> list[str]:
    """Lines that a command prints. Fails with all that it says when it does not end well."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=folder
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, f"{' '.join(command)}\n{out.decode()}\n{errors.decode()}"
    return out.decode().splitlines()
