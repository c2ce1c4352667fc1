"""Use cases, ports and domains say what they hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SERVICES = Path(__file__).resolve().parents[2] / "services"
CONTEXTS = ("catalog", "directory", "fulfillment", "order", "payment", "pricing", "shipping")


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_use_case_port_or_domain_value_is_of_any_type(context: str) -> None:
    files = [path for layer in ("application", "domain") for path in (SERVICES / context / layer).rglob("*.py")]
    assert len(files) > 4
    assert [str(path) for path in files if re.search(r"\bimport\b.*\bAny\b", path.read_text())] == []
