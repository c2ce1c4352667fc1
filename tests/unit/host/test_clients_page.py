"""docs/clients.md shows the client programs as they are in the repository; the tier tests/clients runs them."""

from __future__ import annotations

import json
import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"
PROGRAMS = ("*/*.mjs", "*/*.py", "*/src/*.ts", "*/buf.gen.yaml")


def shown() -> dict[str, str]:
    """Every file that the page shows, and what it shows of it."""
    found = re.findall(r"^`(clients/[^`]+)`:\n\n```\w+\n(.*?)^```$", (DOCS / "clients.md").read_text(), re.MULTILINE | re.DOTALL)
    return dict(found)


def test_the_page_shows_every_program_as_it_is() -> None:
    files = [path for pattern in PROGRAMS for path in (DOCS / "clients").glob(pattern)]
    assert shown() == {path.relative_to(DOCS).as_posix(): path.read_text() for path in files}


def test_packages_of_the_programs_are_pinned_and_name_no_registry() -> None:
    manifests = list((DOCS / "clients").glob("*/package.json"))
    assert manifests
    for manifest in manifests:
        wanted = json.loads(manifest.read_text())
        versions = [*wanted["dependencies"].values(), *wanted.get("devDependencies", {}).values()]
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions), manifest
        locked = json.loads((manifest.parent / "package-lock.json").read_text())["packages"]
        assert all("resolved" not in package for package in locked.values())
        assert all(package.get("integrity") for name, package in locked.items() if name)
