"""What is long says why, beside itself: a file above 350 lines, a function above 60, a use case of more than five parts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REASON = "# Long because "
FILES = sorted(
    path
    for top in ("services", "libs", "tests", "protos", "containers", "docs")
    for path in (ROOT / top).rglob("*.py")
    if not {"versions", "node_modules"} & set(path.parts)
)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_long_file_says_why() -> None:
    long = [path for path in FILES if path.read_text().count("\n") > 350]
    assert [str(path.relative_to(ROOT)) for path in long if REASON not in "\n".join(path.read_text().split("\n")[:20])] == []


def test_a_long_function_says_why() -> None:
    silent = []
    for path in FILES:
        lines = path.read_text().split("\n")
        for node in functions(path):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if (node.end_lineno or 0) - node.lineno >= 60 and REASON not in lines[first - 2]:
                silent.append(f"{path.relative_to(ROOT)} {node.name}")
    assert silent == []


def test_a_use_case_is_built_of_five_things_or_fewer() -> None:
    large = []
    for path in (ROOT / "services").glob("*/application/**/*.py"):
        for node in functions(path):
            if node.name == "__init__" and len(node.args.args) + len(node.args.kwonlyargs) - 1 > 5:
                large.append(str(path.relative_to(ROOT)))
    assert large == []
