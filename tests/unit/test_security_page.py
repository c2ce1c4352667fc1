"""The page about security names tests, reasons, settings and columns that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import grpc

from services.host.contexts import CONTEXTS
from services.host.process.variables import known
from tests.support.contracts import reasons_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
TESTS = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE))
WHOLE = set(re.findall(r"`(tests/attacks/\w+\.py)`", PAGE))
"""Files that stand on the page with all of their tests."""
STATES = {"PUBLISHED", "SIGNING", "WITHDRAWN", "RETIRED", "NOT_SERVING", "SERVING", "INTERNAL", "UNAVAILABLE"}
"""What is no reason, though it looks like one."""


@cache
def functions_of(path: str) -> frozenset[str]:
    """Names of the functions of a file, its tests among them."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_test_on_the_page_is_there() -> None:
    assert len(TESTS) > 40
    missing = [f"{path}::{name}" for path, name in sorted(TESTS) if not (ROOT / path).is_file() or name not in functions_of(path)]
    assert missing == []


def test_every_attack_that_is_tried_stands_on_the_page() -> None:
    tried = {
        (str(file.relative_to(ROOT)), name)
        for file in (ROOT / "tests" / "attacks").glob("test_*.py")
        if str(file.relative_to(ROOT)) not in WHOLE
        for name in functions_of(str(file.relative_to(ROOT)))
        if name.startswith("test_")
    }
    assert len(tried) >= 15
    assert [path for path in sorted(WHOLE) if not (ROOT / path).is_file()] == []
    assert sorted(tried - TESTS) == []


def test_every_reason_on_the_page_is_one_of_the_contracts() -> None:
    reasons = {reason for context in ("type", *CONTEXTS) for reason in reasons_of(context)}
    codes = {code.name for code in grpc.StatusCode} | STATES
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", re.sub(r"\bWAYBILL_\w+", "", PAGE)))
    assert {"TOKEN_MISSING", "TOO_MANY_CALLS", "IMPERSONATION_REFUSED"} <= named
    assert sorted(named - reasons - codes) == []


def test_every_setting_on_the_page_is_one() -> None:
    named = set(re.findall(r"\bWAYBILL_[A-Z0-9_]+\b", PAGE))
    assert len(named) > 20
    assert sorted(named - known()) == []


def test_every_column_with_personal_data_is_one_of_a_table() -> None:
    tables = [import_module(f"services.{context}.adapters.db.tables").METADATA.tables for context in CONTEXTS]
    columns = {f"{table.name}.{column.name}" for each in tables for table in each.values() for column in table.columns}
    section = PAGE.split("## Personal data")[1].split("\n\n")[1]
    named = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", section))
    assert len(named) > 40
    assert sorted(named - columns) == []
    # Wherever a postal address, or what somebody wrote, is stored: it stands here.
    personal = (
        "first_name",
        "last_name",
        "email",
        "phone",
        "address",
        "shipping_address",
        "billing_address",
        "ship_to",
        "comments",
    )
    assert sorted(name for name in columns - named if name.split(".")[1] in personal) == []
