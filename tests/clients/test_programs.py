"""Each program does what docs/clients.md says of it."""

from __future__ import annotations

import json
import sys
import venv
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, done
from tests.support.process import Served

SIGN_IN = ("shop", "ada", "correct horse battery staple")
# 4 x 189.00 + 2 x 64.30, and 9.00 to ship the one parcel.
TOTAL = "893.60 USD"
EVENTS = ["event 1 order_created", "event 2 submission_begun", "event 3 order_submitted"]
REFUSED = "refused INVALID_ARGUMENT VALUE_OUT_OF_RANGE line_items[0].quantity:VALUE_OUT_OF_RANGE"


@pytest.mark.timeout(300)
async def test_node_places_and_watches_an_order_with_nothing_but_the_archive(node: Path, shop: Served) -> None:
    placed, repeated, goods, xp, field, missing, *events = await done(
        "node", "order.mjs", "../../../protos", shop.address, *SIGN_IN, folder=node
    )
    assert placed == f"placed ORDER_STATUS_OPEN {TOTAL}"
    assert repeated == "repeated the same order"
    assert goods == "goods exact, quantities 4 2"
    assert json.loads(xp.removeprefix("xp ")) == {"source": "node", "campaign": {"id": 7, "tags": ["spring", None]}}
    assert field == REFUSED
    assert missing.startswith("refused NOT_FOUND RESOURCE_NOT_FOUND {")
    assert events == EVENTS


@pytest.mark.timeout(600)
async def test_buf_makes_typescript_from_the_archive_that_compiles_strictly_and_orders(archive: Path, shop: Served) -> None:
    folder = archive / "docs" / "clients" / "typescript"
    assert json.loads((folder / "tsconfig.json").read_text())["compilerOptions"]["strict"] is True
    await done("npm", "ci", "--no-audit", "--no-fund", folder=folder)
    await done("npx", "buf", "generate", "../../../protos", folder=folder)
    await done("npx", "tsc", folder=folder)
    placed, refused = await done("node", "dist/src/order.js", f"http://{shop.address}", *SIGN_IN, folder=folder)
    assert placed.startswith("placed OPEN 893600000000 {")
    assert refused == "refused InvalidArgument VALUE_OUT_OF_RANGE line_items[0].quantity"


@pytest.mark.timeout(300)
async def test_the_two_wheels_alone_place_and_watch_an_order(tmp_path: Path, shop: Served) -> None:
    wheels = tmp_path / "wheels"
    parts = [str(ROOT / "protos"), str(ROOT / "libs" / "client")]
    await done(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(wheels),
        *parts,
        folder=tmp_path,
    )
    venv.create(tmp_path / "fresh", with_pip=True)
    python = str(tmp_path / "fresh" / "bin" / "python")
    await done(python, "-m", "pip", "install", "-q", *map(str, wheels.iterdir()), folder=tmp_path)
    program = ROOT / "docs" / "clients" / "python" / "order.py"
    placed, repeated, goods, _, field, missing, *events = await done(
        python, str(program), shop.address, *SIGN_IN, folder=tmp_path
    )
    assert placed == f"placed ORDER_STATUS_OPEN {TOTAL}"
    assert repeated == "repeated the same order"
    assert goods == "goods exact quantities 4 2"
    assert field == REFUSED
    assert missing.startswith("refused NOT_FOUND RESOURCE_NOT_FOUND ")
    assert events == EVENTS
    installed = {
        part["name"].lower() for part in json.loads(*await done(python, "-m", "pip", "list", "--format=json", folder=tmp_path))
    }
    assert {"waybill-protos", "waybill-client"} <= installed
    assert installed.isdisjoint({"waybill", "sqlalchemy"})
