"""Whose the groups are that approval rules name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from libs.errors import Violations
from libs.ids import valid_id
from services.order.application.peers import Directory
from waybill.order.v1 import reasons


class ApprovingGroups:
    """Asks the directory, before the transaction that stores the rules."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def buyers(self, ids: Collection[str]) -> Mapping[str, str]:
        """The buyer of each group that is a buyer's. Nobody is asked about what cannot be a group."""
        asked = {id for id in ids if valid_id(id)}
        return await self._directory.buyers_of_groups(asked) if asked else {}


def check_groups(found: Violations, buyers: Mapping[str, str], rules: Sequence[tuple[str, str, str]]) -> None:
    """The group of each rule is its buyer's; each is a field of the request, a buyer and a group.

    Empty ids are noted elsewhere.
    """
    for where, buyer_id, group_id in rules:
        known = not group_id or not buyer_id or buyers.get(group_id) == buyer_id
        found.require(f"{where}.approving_group_id", known, reasons.USER_GROUP_NOT_FOUND, "the buyer has no such group")
