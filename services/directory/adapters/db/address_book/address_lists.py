"""Lists of address books and assignments, as far as a caller may see them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from libs.auth import PartyKind, Principal
from libs.db import Database
from libs.query import Field, Listing
from libs.query.listing import Plan
from libs.query.request import Page, PageRequest
from services.directory.adapters.db.address_book.address_books import entry_of
from services.directory.adapters.db.resources import assigned_to, kept_for
from services.directory.adapters.db.tables import ADDRESS_ASSIGNMENTS, ADDRESSES, BUYERS
from services.directory.domain.access import reads_whole_book
from services.directory.domain.address_book.addresses import Assignment, Entry

_A, _AA = ADDRESSES.c, ADDRESS_ASSIGNMENTS.c
_ENTRIES = Listing(
    {
        "id": Field(_A.id),
        "user_id": Field(_A.user_id),
        "create_time": Field(_A.create_time, "time"),
        "update_time": Field(_A.update_time, "time"),
    },
    _A.id,
    xp=_A.xp,
)
_ASSIGNMENTS = Listing(
    {
        "address_id": Field(_AA.address_id),
        "user_id": Field(_AA.user_id),
        "user_group_id": Field(_AA.user_group_id),
        "shipping": Field(_AA.shipping, "bool"),
        "billing": Field(_AA.billing, "bool"),
    },
    # The three together are unique in a book; ids have no colon.
    _AA.address_id + ":" + _AA.user_id + ":" + _AA.user_group_id,
    default_order="address_id",
)


def _readable(caller: Principal, book: str) -> sa.ColumnElement[bool]:
    """A book; to all but its readers without what other users keep for themselves, and of a restricted buyer only what is
    assigned to them, their groups or everyone."""
    if reads_whole_book(caller, book):
        return _A.party == book
    kept = sa.and_(_A.party == book, kept_for(caller.user_id))
    if caller.party_kind is not PartyKind.BUYER:
        return kept
    restricted = sa.exists().where(BUYERS.c.id == caller.party_id, BUYERS.c.restrict_addresses)
    assigned = sa.exists().where(_AA.party == _A.party, _AA.address_id == _A.id, assigned_to(caller.user_id))
    return sa.and_(kept, sa.or_(~restricted, assigned))


class SqlAddressLists:
    """Reads address books, each list in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def batch(self, caller: Principal, book: str, ids: Sequence[str], most: int) -> list[Entry]:
        """Entries by id, or the beginning of the book."""
        statement = sa.select(ADDRESSES).where(_readable(caller, book)).order_by(_A.id).limit(most)
        if ids:
            statement = statement.where(_A.id.in_(list(ids)))
        async with self._db.reading() as tx:
            return [entry_of(row) for row in await tx.execute(statement)]

    async def page(self, caller: Principal, book: str, request: PageRequest) -> Page[Entry]:
        """A page of a book."""
        plan = self._plan(_ENTRIES, caller, book, request)
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, sa.select(ADDRESSES).where(_readable(caller, book)))
        return page.map(entry_of)

    async def assignments(self, caller: Principal, book: str, request: PageRequest) -> Page[tuple[str, Assignment]]:
        """A page of a book's assignments; to all but its readers those of the caller, of its groups and of everyone."""
        plan = self._plan(_ASSIGNMENTS, caller, book, request)
        statement = sa.select(ADDRESS_ASSIGNMENTS).where(_AA.party == book)
        if not reads_whole_book(caller, book):
            same = sa.and_(_A.party == _AA.party, _A.id == _AA.address_id, kept_for(caller.user_id))
            statement = statement.where(assigned_to(caller.user_id), sa.exists().where(same))
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, statement)
        return page.map(lambda r: (r.party, Assignment(r.address_id, r.user_id, r.shipping, r.billing, r.user_group_id)))

    def _plan(self, listing: Listing, caller: Principal, book: str, request: PageRequest) -> Plan:
        bound = {"party": caller.party_id, "user": caller.identity, "book": book}
        return listing.plan(self._db.dialect, request, bound)
