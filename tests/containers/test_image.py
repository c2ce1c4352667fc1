"""The image by itself: who it runs as, what it holds, and the whole marketplace in one container."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.support.composed import IMAGE, ROOT, docker

_UNTIL_HEALTHY = "for i in $(seq 120); do python -m services.host.process.health && exec waybill health; sleep 1; done; exit 1"


@pytest.fixture(scope="session")
def image() -> str:
    """Built from this checkout."""
    name = os.environ.get("WAYBILL_IMAGE") or IMAGE
    built = subprocess.run(
        [sys.executable, "containers/stack.py", "build"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "WAYBILL_IMAGE": name},
    )
    assert built.returncode == 0, built.stderr
    return name


def test_it_runs_as_an_ordinary_user_and_knows_its_health(image: str) -> None:
    (printed,) = json.loads(docker("inspect", image))
    assert printed["Config"]["User"] == "10001:10001"
    assert printed["Config"]["Healthcheck"]["Test"] == ["CMD", "python", "-m", "services.host.process.health"]
    assert docker("run", "--rm", "--entrypoint", "id", image, "-u").strip() == "10001"


def test_what_only_the_build_needs_is_not_in_it(image: str) -> None:
    listed = docker("run", "--rm", "--entrypoint", "sh", image, "-c", "ls /opt/waybill/lib/python3*/site-packages")
    held = set(listed.split())
    assert {"waybill", "waybill_client", "services", "libs", "grpc"} <= held
    assert not held & {"pip", "setuptools", "grpc_tools", "hatchling", "tests", "pytest"}


def test_the_demo_plays_in_one_container_without_network_or_a_writable_system(image: str) -> None:
    printed = docker("run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", image, "demo")
    assert "PO9123 Completed, 4 supplier orders, 3441.13 USD" in " ".join(printed.split())
    assert "invariants OK" in printed


def test_without_arguments_it_serves_and_gets_healthy(image: str) -> None:
    name = f"waybilltest{uuid.uuid4().hex[:10]}"
    docker("run", "-d", "--name", name, "--health-interval", "1s", image)
    try:
        said = subprocess.run(
            ["docker", "exec", name, "sh", "-c", _UNTIL_HEALTHY], capture_output=True, text=True, check=False, timeout=400
        )
        assert said.stdout.split()[-1] == "SERVING", said.stdout + said.stderr + docker("logs", name)
    finally:
        docker("rm", "-f", "-v", name)


@pytest.mark.parametrize("command", [["make", "test-containers"], ["make", "up"]])
def test_without_an_engine_it_says_so_in_one_line(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*command, f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
        timeout=100,
    )
    assert done.returncode != 0
    said = [line for line in (done.stdout + done.stderr).splitlines() if line and not line.startswith(("make:", "make["))]
    assert len(said) == 1, said
    assert "engine" in said[0]
