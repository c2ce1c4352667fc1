"""Libraries serve every context and name none: what they are about is said in `services`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.auth import roles as own_roles
from services import roles

LIBS = Path(__file__).parents[3] / "libs"
FILES = sorted(p for p in LIBS.rglob("*.py") if "client" not in p.relative_to(LIBS).parts)
WORDS = re.compile(
    r"catalog|pricing|shipping|payment|fulfillment|shipment|spending|inventory|redemption|submission|cancellation|stock_|line_?item",
    re.IGNORECASE,
)
ROLES = {word for name in roles.__all__ if not hasattr(own_roles, name) for word in (name, str(getattr(roles, name)))}


def said(source: str) -> Iterator[str]:
    """Every name and every text of a module, but for its docstrings."""
    tree = ast.parse(source)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.alias):
            yield node.name


def business(source: str) -> list[str]:
    return [text for text in said(source) if WORDS.search(text) or text in ROLES]


@pytest.mark.parametrize("file", FILES, ids=lambda p: str(p.relative_to(LIBS)))
def test_a_library_names_no_role_and_nothing_of_a_context(file: Path) -> None:
    assert business(file.read_text()) == []


@pytest.mark.parametrize(
    "source", ["SHOPPER = 1", 'x = "OrderAdmin"', "def capture_payment(): pass", 'Gauge("waybill_shipments")']
)
def test_a_word_of_the_business_would_be_found(source: str) -> None:
    assert business(source)
