"""Every reason of the contracts is given by code, and code names no other. The constants are generated from the contracts."""

from __future__ import annotations

import ast
import importlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from google.rpc import code_pb2

from libs.errors import Kind
from libs.rpc.promises import promises
from tests.support.contracts import reasons_of

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS = ("catalog", "directory", "fulfillment", "order", "payment", "pricing", "shipping")
COMMON = "type"
CLIENT = ROOT / "libs" / "client"


def sources() -> Iterator[tuple[str, ast.AST]]:
    """Every source that may give a reason, by its path; the client gives none."""
    for path in sorted([*(ROOT / "services").rglob("*.py"), *(ROOT / "libs").rglob("*.py")]):
        if CLIENT not in path.parents and "migrations" not in path.parts:
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


@cache
def named() -> dict[str, set[str]]:
    """By context, the constants of its reasons that sources name; a source outside of the contexts names common ones."""
    found: dict[str, set[str]] = defaultdict(set)
    for _, tree in sources():
        aliases = {
            alias.asname or alias.name: node.module.split(".")[1]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("waybill.")
            for alias in node.names
            if alias.name == "reasons" and node.module
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
                found[aliases[node.value.id]].add(node.attr)
    return found


@pytest.mark.parametrize("context", [*CONTEXTS, COMMON])
def test_the_constants_are_the_reasons_of_the_contract(context: str) -> None:
    made = vars(importlib.import_module(f"waybill.{context}.v1.reasons"))
    values = {name: value for name, value in made.items() if name.isupper()}
    assert values == {name: name for name in reasons_of(COMMON) | reasons_of(context)}


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_reason_of_a_context_is_given(context: str) -> None:
    assert reasons_of(context) - named()[context] == set()


def test_every_common_reason_is_given() -> None:
    assert reasons_of(COMMON) - set().union(*named().values()) == set()


def test_no_reason_is_written_as_a_text() -> None:
    # INTERNAL is the name of a gRPC code too.
    known = set().union(*(reasons_of(context) for context in (*CONTEXTS, COMMON))) - {"INTERNAL"}
    written = [
        f"{path}:{node.lineno} {node.value}"
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in known
    ]
    assert written == []


@pytest.mark.parametrize("context", [*CONTEXTS, COMMON])
def test_the_contract_gives_every_reason_a_code(context: str) -> None:
    """An error of the code has a kind, of which each has a code; beside them there is only the defect."""
    known = {kind.value for kind in Kind} | {"INTERNAL"}
    codes = {reason: code_pb2.Code.Name(promised.code) for reason, promised in promises(f"waybill.{context}").items()}
    assert {reason: code for reason, code in codes.items() if code not in known} == {}
    assert reasons_of(context) <= codes.keys()


def test_an_error_has_the_code_and_the_metadata_that_its_reason_is_promised_with() -> None:
    """Of every error whose reason and metadata stand in the code as such; all others are watched as they leave."""
    read, wrong = 0, []
    for path, tree in sources():
        context = path.split("/")[1] if path.startswith("services/") else COMMON
        promised = promises(f"waybill.{context}")
        for reason, kind, carried in raised(tree):
            read += 1
            if reason not in promised:
                continue
            code, keys = code_pb2.Code.Name(promised[reason].code), set(promised[reason].metadata)
            if code != Kind[kind].value or not keys <= carried:
                wrong.append(f"{path}: {reason} ({kind}) carries {sorted(carried)}")
    assert wrong == []
    assert read > 50


def raised(tree: ast.AST) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Reason, kind and keys of metadata of the errors that a source makes by itself."""
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)):
        if call.func.id == "precondition":  # type: ignore[attr-defined]
            reason, kind, metadata = call.args[0], "PRECONDITION", [keyword.arg for keyword in call.keywords]
        elif call.func.id == "WaybillError":  # type: ignore[attr-defined]
            reason, kind = call.args[1], ast.unparse(call.args[0]).removeprefix("Kind.")
            given = next((k.value for k in call.keywords if k.arg == "metadata"), ast.Dict([], []))
            if not isinstance(given, ast.Dict):
                continue
            metadata = [key.value if isinstance(key, ast.Constant) else None for key in given.keys]
        else:
            continue
        if isinstance(reason, ast.Attribute) and None not in metadata:
            yield reason.attr, kind, frozenset(str(key) for key in metadata)
