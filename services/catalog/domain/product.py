"""Rules of a product that need nothing but the product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.errors import Violations

MAX_SUPPLIERS = 100


def check(found: Violations, where: str, product: Mapping[str, Any]) -> None:
    """The default supplier is not listed again among the other suppliers."""
    found.require(
        f"{where}.supplier_ids",
        product["default_supplier_id"] not in product["supplier_ids"] or not product["default_supplier_id"],
        "DUPLICATE_ITEM",
        "the default supplier stands among the others",
    )
