"""The page that compares rules with OrderCloud names files and names that are there, and says of every rule what is different."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from services.host.contexts import CONTEXTS
from tests.support.contracts import reasons_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "semantics.md").read_text()
ROWS = [line for line in PAGE.split("\n") if line.startswith("|") and not line.startswith(("| rule |", "|---"))]
CELLS = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in ROWS]
REFERENCES = sorted(set(re.findall(r"`([\w.-]+(?:/[\w.-]+)+)(?:::(\w+))?`", PAGE)))
"""Each a file and, where one is given, a name in it."""
NOT_BUILT = "not built yet"


@cache
def names_of(path: str) -> frozenset[str]:
    """What a file defines: functions, methods, classes and constants; of a contract messages, enums, methods and fields."""
    text = (ROOT / path).read_text()
    if not path.endswith(".py"):
        types = re.findall(r"^(?:message|enum) (\w+)", text, re.MULTILINE)
        return frozenset(types + re.findall(r"^ +(?:rpc |[\w. ]+ )(\w+)(?:\(| = \d)", text, re.MULTILINE))
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def test_every_row_has_four_cells_that_say_something() -> None:
    assert len(CELLS) > 100
    assert [row for row, cells in zip(ROWS, CELLS, strict=True) if len(cells) != 4 or not all(cells)] == []


def test_every_file_on_the_page_is_there() -> None:
    assert len(REFERENCES) > 200
    assert sorted({path for path, _ in REFERENCES if not (ROOT / path).is_file()}) == []
    assert [name for name in re.findall(r"\]\(([\w.-]+)\)", PAGE) if not (ROOT / "docs" / name).is_file()] == []


def test_every_name_on_the_page_is_defined_in_its_file() -> None:
    assert [f"{path}::{name}" for path, name in REFERENCES if name and name not in names_of(path)] == []


def test_a_rule_that_is_built_says_where_and_shows_a_test_and_any_other_that_it_is_not_built() -> None:
    silent = [
        rule
        for rule, where, shown, different in CELLS
        if not different.startswith(NOT_BUILT) and ("`" not in where or not re.search(r"`tests/[\w/]+\.py", shown))
    ]
    assert silent == []


def test_what_shows_a_rule_is_a_test() -> None:
    shown = [found for _, _, cell, _ in CELLS for found in re.findall(r"`([^`]+)`", cell)]
    assert [name for name in shown if not re.fullmatch(r"tests/[\w/]+\.py(?:::test_\w+)?", name)] == []


def test_every_reason_on_the_page_is_one_of_the_contracts() -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", PAGE))
    assert "PRODUCT_CHANGED" in named
    assert sorted(named - {reason for context in ("type", *CONTEXTS) for reason in reasons_of(context)}) == []
