"""Use cases, ports and domain of the order service say what they hold."""

import re
from pathlib import Path

ORDER = Path(__file__).resolve().parents[3] / "services" / "order"


def test_no_use_case_port_or_domain_value_is_of_any_type() -> None:
    files = [path for layer in ("application", "domain") for path in (ORDER / layer).rglob("*.py")]
    assert len(files) > 30
    assert [str(path) for path in files if re.search(r"\bimport\b.*\bAny\b", path.read_text())] == []
