"""The client is a distribution of its own: it needs the stubs and gRPC, and nothing of the server."""

from __future__ import annotations

import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("protos", "libs/client")


def project(folder: str) -> dict[str, Any]:
    """What a distribution says of itself."""
    made: dict[str, Any] = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    return made


def test_the_client_imports_nothing_of_the_server() -> None:
    code = "import waybill_client, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(printed.stdout.split())
    assert {"waybill_client", "waybill", "grpc"} <= loaded
    assert loaded.isdisjoint({"libs", "services", "sqlalchemy", "typer", "structlog"})


@pytest.mark.parametrize("folder", PARTS)
def test_the_parts_have_the_version_of_the_server(folder: str) -> None:
    version = project(".")["version"]
    assert project(folder)["version"] == version
    ours = [needed for needed in project(folder)["dependencies"] if needed.startswith("waybill")]
    assert all(needed.endswith(f"=={version}") for needed in ours)


@pytest.mark.parametrize("folder", PARTS)
def test_the_server_runs_with_what_its_parts_need(folder: str) -> None:
    pinned = {name.split("==")[0] for name in project(".")["dependencies"]}
    wanted = {needed.split(">=")[0] for needed in project(folder)["dependencies"] if not needed.startswith("waybill")}
    assert wanted <= pinned


@pytest.mark.parametrize(
    ("build", "wanted"), [("editable", []), ("standard", ["waybill-protos==1.2.3", "waybill-client==1.2.3"])]
)
def test_a_wheel_of_the_server_needs_the_parts_and_a_checkout_brings_them(build: str, wanted: list[str]) -> None:
    parts = runpy.run_path(str(ROOT / "protos" / "hatch_build.py"))["Parts"]
    metadata: Any = SimpleNamespace(version="1.2.3")
    data: dict[str, Any] = {"dependencies": []}
    parts(str(ROOT), {}, None, metadata, str(ROOT), "wheel").initialize(build, data)
    assert data["dependencies"] == wanted
