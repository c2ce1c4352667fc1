"""Who may pay with an account or a card of the company: a user, a group of users, or everyone of the buyer."""

from __future__ import annotations

from collections.abc import Sequence

from libs.errors import Violations
from waybill.payment.v1 import reasons

BATCH = 1_000
Key = tuple[str, str, str]
"""The account or card, the user, the group; with neither of these everyone of its buyer."""


def check(found: Violations, means: str, keys: Sequence[Key], *, each_once: bool) -> None:
    """Well-formed, to a user or a group, not too many; `means` is the field of the account or card."""
    found.require("assignments", 0 < len(keys) <= BATCH, reasons.TOO_MANY_ITEMS, f"1 to {BATCH:,} at a time")
    seen: set[Key] = set()
    for i, key in enumerate(keys[:BATCH]):
        id, user_id, group_id = key
        where = f"assignments[{i}]"
        found.check_id(f"{where}.{means}", id)
        found.check_id(f"{where}.user_id", user_id, required=False)
        found.check_id(f"{where}.user_group_id", group_id, required=False)
        one = not (user_id and group_id)
        found.require(f"{where}.user_group_id", one, reasons.FIELD_INVALID, "stands beside a user; either is assigned")
        found.require(where, not each_once or key not in seen, reasons.DUPLICATE_ITEM, "stands twice")
        seen.add(key)
