"""Tests use what is public: a name that begins with one underscore is the business of its own module or class."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
BY_NAME = {"setattr", "getattr", "hasattr", "delattr"}
PUBLIC = {"os._exit"}
"""Of the standard library, and documented."""
OPEN = {
    "bench/load.py": {"_channel_of", "_metadata"},
    "chaos/test_submit_under_fire.py": {"_freeze"},
    "e2e/test_changes.py": {"_tried"},
    "e2e/test_client.py": {"_metadata"},
    "e2e/test_operators.py": {"_settle"},
    "integration/libs/test_peers.py": {"_breakers"},
    "integration/libs/test_postgresql.py": {"_connection", "_transport"},
    "integration/payment/test_renewal.py": {"_why_not"},
    "support/answers.py": {"_Channel", "_PeerChannel"},
    "support/tampering.py": {"_alone", "_over", "_writer"},
    "unit/directory/test_throttle.py": {"_secrets"},
    "unit/host/test_failures.py": {"_level"},
    "unit/libs/test_auth.py": {"_known"},
}
"""What has no public way yet. It only ever gets less: what is no longer reached for leaves the list."""


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def reached(source: str) -> Iterator[str]:
    """Private names that a module takes from elsewhere: members of anything but `self` and `cls`, imports, and names in texts."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name) if private(name) and ast.unparse(node) not in PUBLIC:
                yield name
            case ast.ImportFrom(names=names):
                yield from (alias.name for alias in names if private(alias.name))
            case ast.Call(func=called, args=[_, ast.Constant(value=str(name)), *_]) if private(name):
                if ast.unparse(called).rpartition(".")[2] in BY_NAME:
                    yield name


def test_no_test_reaches_for_a_private_member() -> None:
    found = {str(path.relative_to(TESTS)): set(reached(path.read_text())) for path in sorted(TESTS.rglob("*.py"))}
    assert {path: names for path, names in found.items() if names} == OPEN


def test_every_way_to_a_private_member_is_seen() -> None:
    source = (
        "from a import _b\nx._c()\nself._own\ncls._own\npatch.setattr(x, '_d', 1)\nx.y._e\nx.__class__\nos._exit(1)\nx._f = 1"
    )
    assert set(reached(source)) == {"_b", "_c", "_d", "_e", "_f"}
