"""Approvals of an order, and what waits for an approver."""

from __future__ import annotations

from libs.auth import PartyKind, Principal
from libs.query.request import Page, PageRequest
from services.order.application.access import readable
from services.order.application.approval.find_case import approvable
from services.order.application.peers import Directory
from services.order.application.ports import Units
from services.order.application.records import Waiting
from services.order.domain.approval.rounds import Approval
from services.order.domain.approval.voters import Voter
from services.order.domain.model import Order

MOST = 2_000
"""Approvals of one order that are shown."""


class ReadApprovals:
    """The use case."""

    def __init__(self, units: Units, directory: Directory) -> None:
        self._units = units
        self._directory = directory

    async def of_order(self, caller: Principal, order_id: str) -> tuple[Order, list[tuple[int, Approval]]]:
        """All approvals of an order, each with its round."""
        groups = await self._directory.group_ids(caller.user_id) if caller.party_kind is PartyKind.BUYER else ()
        voter = Voter(caller.user_id, frozenset(groups))
        async with self._units.reading(snapshot=True) as work:
            if caller.party_kind is PartyKind.BUYER:
                order = (await approvable(work, caller, order_id, voter)).order
            else:
                order = await readable(work.orders, caller, order_id)
            return order, await work.rounds.of_order(order.key, MOST)

    async def waiting(self, caller: Principal, query: PageRequest) -> Page[Waiting]:
        """What waits for the caller."""
        voter = Voter(caller.user_id, frozenset(await self._directory.group_ids(caller.user_id)))
        async with self._units.reading(snapshot=True) as work:
            return await work.rounds.pending(voter.groups, voter, query)
