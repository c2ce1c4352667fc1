"""Sentences and names say who reports, answers, shows or sends something: no line says that anything tells or is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KINDS = {".py", ".proto", ".md", ".toml", ".yml", ".yaml", ".html", ".js", ".sh", ".mako"}
FOLDERS = ("services", "libs", "protos", "containers", "docs", "tests")
SELF = Path(__file__).resolve()
"""This file has to spell the words."""
FORBIDDEN = re.compile(r"(?<![A-Za-z])(?:un|re)?(?:told|tells?|telling)(?![A-Za-z])", re.IGNORECASE)
FILES = sorted(
    path
    for path in (*ROOT.glob("*.*"), *(found for folder in FOLDERS for found in (ROOT / folder).rglob("*")))
    if path.is_file() and path.suffix in KINDS and "node_modules" not in path.parts and path != SELF
)


@pytest.mark.parametrize("text", ["what callers are told", "def _tell(", "is_told_at_once", "untold_lines", "Tells of it"])
def test_the_words_are_found_in_prose_and_in_names(text: str) -> None:
    assert FORBIDDEN.search(text)


def test_nothing_tells_and_nothing_is_told() -> None:
    lines = (
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in enumerate(path.read_text().split("\n"), 1)
        if FORBIDDEN.search(line)
    )
    assert list(lines) == []
