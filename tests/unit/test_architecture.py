"""The page about the architecture names files that are there, and directions that are checked."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
CHANGES = re.findall(r"^\| ([^|]+) \| `([^`]+)` \|$", PAGE.split("## Where a change begins")[1], re.MULTILINE)


def test_forty_changes_begin_in_files_that_are_there() -> None:
    assert len({change for change, _ in CHANGES}) == len(CHANGES) >= 40
    assert [path for _, path in CHANGES if not (ROOT / path).is_file()] == []


def test_what_is_to_come_has_its_place() -> None:
    changes = " ".join(change for change, _ in CHANGES)
    assert [word for word in ("promotions", "approvals", "hooks", "gateway", "edge") if word not in changes] == []


def test_every_path_on_the_page_is_there() -> None:
    tracked = {
        str(path.relative_to(ROOT)) for top in ("services", "libs", "tests", "docs", "protos") for path in (ROOT / top).rglob("*")
    }
    named = [name for name in re.findall(r"`([\w./]+)`", PAGE) if "/" in name and not name.startswith("/")]
    assert [name for name in named if not any(path == name or path.endswith(f"/{name}") for path in tracked)] == []


def test_every_room_on_the_page_is_a_folder_of_its_context() -> None:
    table = PAGE.split("| context | rooms")[1].split("\n\n")[0]
    for context, rooms in re.findall(r"^\| (\w+) \| (.+) \|$", table, re.MULTILINE):
        layers = ROOT / "services" / context
        for room in re.findall(r"`(\w+)`", rooms):
            assert any((layers / layer / room).is_dir() for layer in ("application", "domain")), f"{context} has no {room}"
