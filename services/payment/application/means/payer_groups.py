"""Which groups count for who pays: those that accounts and cards of its buyer are assigned to, as far as it is in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from libs.auth import PartyKind, Principal
from services.payment.application.peers import Memberships
from services.payment.application.ports import Units


class PayerGroups:
    """Reads a user's groups from its own token; for anyone else, and where the token had no room, it asks the directory."""

    def __init__(self, units: Units, memberships: Memberships) -> None:
        self._units = units
        self._memberships = memberships

    async def paying(self, caller: Principal | None, buyer_id: str, user_id: str) -> Collection[str]:
        """The groups of the user who pays, whoever calls. Nobody is asked where no group has anything to pay with."""
        if caller is not None and caller.user_id == user_id and caller.groups is not None:
            return caller.groups
        async with self._units.reading() as work:
            assigned = await work.assignments.groups(buyer_id)
        return assigned & set(await self._memberships.group_ids(user_id)) if assigned else ()

    async def knowing(self, caller: Principal) -> Principal:
        """The caller with the groups that count for what it sees."""
        if caller.groups is not None or caller.party_kind is not PartyKind.BUYER:
            return caller
        return replace(caller, groups=frozenset(await self.paying(caller, caller.party_id, caller.user_id)))
