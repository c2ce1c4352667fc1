"""The page of all reasons is the one that the contracts make."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE_BY = ROOT / "protos" / "errors_page.py"


def test_the_page_of_errors_is_up_to_date() -> None:
    made = runpy.run_path(str(MADE_BY))["page"]()
    written = (ROOT / "docs" / "errors.md").read_text()
    assert written == made, "run `python protos/errors_page.py`"
    assert "| `ORDER_STATUS_CONFLICT` | FAILED_PRECONDITION | `order`, `status` | The order's status does not allow it. |" in made
