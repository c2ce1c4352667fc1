"""Cost centers, who may use them, and lists of that."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from libs.auth import Principal
from libs.db import Database, Tx
from libs.ids import valid_id
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from services.directory.adapters.db.pairs import Key, Pairs, kept
from services.directory.adapters.db.resources import visible_cost_centers
from services.directory.adapters.db.tables import COST_CENTER_ASSIGNMENTS, COST_CENTERS
from services.directory.domain.cost_centers.assignments import CostCenterAssignment

_C, _A = COST_CENTERS.c, COST_CENTER_ASSIGNMENTS.c
_ASSIGNMENTS = Pairs("cost center assignment", COST_CENTER_ASSIGNMENTS)
_LISTED = Listing(
    {name: Field(_A[name]) for name in ("cost_center_id", "user_id", "user_group_id")},
    # The three together are unique; ids have no colon.
    _A.cost_center_id + ":" + _A.user_id + ":" + _A.user_group_id,
    default_order="cost_center_id",
)


def _key(item: CostCenterAssignment) -> Key:
    return item.cost_center_id, item.user_id, item.group_id


class SqlCostCenters:
    """Cost centers and their assignments in one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def known(self, ids: Collection[str]) -> dict[str, str]:
        """Buyer by cost center, of those that exist, locked against removal."""
        wanted = {id for id in ids if valid_id(id)}
        if not wanted:
            return {}
        rows = await self._tx.execute(kept(sa.select(_C.id, _C.buyer_id), _C.id, wanted))
        return {row.id: row.buyer_id for row in rows}

    async def assign(self, items: Collection[CostCenterAssignment], now: datetime) -> None:
        """Adds those that do not stand yet."""
        await _ASSIGNMENTS.add(self._tx, [_key(item) for item in items], now)

    async def unassign(self, items: Collection[CostCenterAssignment], now: datetime) -> None:
        """Ends those that stand."""
        await _ASSIGNMENTS.remove(self._tx, [_key(item) for item in items], now)


class SqlCostCenterLists:
    """Reads assignments, each page in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def assignments(self, caller: Principal, request: PageRequest) -> Page[CostCenterAssignment]:
        """A page of the assignments of the cost centers that the caller sees."""
        plan = _LISTED.plan(self._db.dialect, request, {"party": caller.party_id, "user": caller.identity})
        statement, seen = sa.select(COST_CENTER_ASSIGNMENTS), visible_cost_centers(caller)
        if seen is not None:
            statement = statement.where(sa.exists().where(_C.id == _A.cost_center_id, seen))
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, statement)
        return page.map(lambda row: CostCenterAssignment(row.cost_center_id, row.user_id, row.user_group_id))
