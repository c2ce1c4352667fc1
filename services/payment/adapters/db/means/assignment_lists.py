"""Lists of who may pay with what."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from libs.auth import Principal
from libs.db import Database
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from services.payment.adapters.db.tables import ACCOUNT_ASSIGNMENTS, CARD_ASSIGNMENTS, CARDS, TYPE_ASSIGNMENTS
from services.payment.domain.means.assignments import Key
from services.payment.domain.means.declared import Key as TypeKey

_K = CARD_ASSIGNMENTS.c


def _listing(table: sa.Table) -> Listing:
    names = [column.name for column in table.primary_key]
    # All of them together are unique; ids have no colon.
    unique: sa.ColumnElement[str] = table.c[names[0]]
    for name in names[1:]:
        unique = unique + ":" + table.c[name]
    return Listing({name: Field(table.c[name]) for name in names}, unique, default_order=names[0])


_ACCOUNTS = _listing(ACCOUNT_ASSIGNMENTS)
_CARDS = _listing(CARD_ASSIGNMENTS)
_TYPES = _listing(TYPE_ASSIGNMENTS)


class SqlAssignmentLists:
    """Reads assignments, each list in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def accounts(self, caller: Principal, request: PageRequest) -> Page[tuple[Key, bool]]:
        """A page of assignments of accounts, with allow_exceed."""
        plan = _ACCOUNTS.plan(self._db.dialect, request, _bound(caller))
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, sa.select(ACCOUNT_ASSIGNMENTS))
        return page.map(lambda row: ((row.spending_account_id, row.user_id, row.user_group_id), row.allow_exceed))

    async def cards(self, caller: Principal, request: PageRequest) -> Page[Key]:
        """A page of assignments of cards; to a buyer's users of its own."""
        plan = _CARDS.plan(self._db.dialect, request, _bound(caller))
        statement = sa.select(CARD_ASSIGNMENTS)
        if not caller.is_seller:
            own = sa.select(CARDS.c.id).where(CARDS.c.buyer_id == caller.party_id)
            statement = statement.where(_K.credit_card_id.in_(own))
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, statement)
        return page.map(lambda row: (row.credit_card_id, row.user_id, row.user_group_id))

    async def types(self, caller: Principal, request: PageRequest) -> Page[TypeKey]:
        """A page of assignments of declared types."""
        plan = _TYPES.plan(self._db.dialect, request, _bound(caller))
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, sa.select(TYPE_ASSIGNMENTS))
        return page.map(lambda row: (row.payment_type_id, row.buyer_id, row.user_id, row.user_group_id))


def _bound(caller: Principal) -> Mapping[str, str]:
    return {"party": caller.party_id, "user": caller.identity}
