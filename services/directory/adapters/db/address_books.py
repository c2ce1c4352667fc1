"""Address books and assignments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from libs.auth import PartyKind, Principal, roles
from libs.db import Database, Tx, is_unique_violation
from libs.errors import exists
from libs.ids import valid_id
from libs.query import Field, Listing
from services.directory.adapters.db.tables import ADDRESS_ASSIGNMENTS, ADDRESSES, BUYERS
from services.directory.domain.addresses import Assignment, Entry

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
        "shipping": Field(_AA.shipping, "bool"),
        "billing": Field(_AA.billing, "bool"),
    },
    # The pair is unique in a book.
    _AA.address_id + ":" + _AA.user_id,
    default_order="address_id",
)


def _entry(row: Any) -> Entry:
    return Entry(
        party=row.party,
        id=row.id,
        user_id=row.user_id,
        address=row.address,
        create_time=row.create_time,
        update_time=row.update_time,
        version=row.version,
        xp=row.xp,
    )


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "party": entry.party,
        "id": entry.id,
        "user_id": entry.user_id,
        "address": dict(entry.address),
        "xp": dict(entry.xp),
        "version": entry.version,
        "create_time": entry.create_time,
        "update_time": entry.update_time,
    }


def _readable(caller: Principal, book: str) -> sa.ColumnElement[bool]:
    """A book; of a restricted buyer, to those without AddressAdmin, only what is assigned to them or to everyone."""
    if caller.service is not None or caller.party_kind is not PartyKind.BUYER or caller.has(roles.ADDRESS_ADMIN):
        return _A.party == book
    restricted = sa.exists().where(BUYERS.c.id == caller.party_id, BUYERS.c.restrict_addresses)
    assigned = sa.exists().where(_AA.party == _A.party, _AA.address_id == _A.id, _AA.user_id.in_(["", caller.user_id]))
    return sa.and_(_A.party == book, sa.or_(~restricted, assigned))


class SqlAddressBooks:
    """Reads and writes address books."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def restricted(self, tx: Tx, caller: Principal) -> bool:
        """Whether the caller's buyer restricts addresses."""
        statement = sa.select(BUYERS.c.restrict_addresses).where(BUYERS.c.id == caller.party_id)
        return bool((await tx.execute(statement)).scalar())

    async def taken(self, tx: Tx, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (company, address id) that exist, locked against removal."""
        possible = [(party, id) for party, id in keys if valid_id(id) and valid_id(party.partition(":")[2])]
        parties, ids = sorted({party for party, _ in possible}), sorted({id for _, id in possible})
        if not ids:
            return set()
        statement = sa.select(_A.party, _A.id).where(_A.party.in_(parties), _A.id.in_(ids))
        rows = await tx.execute(statement.order_by(_A.party, _A.id).with_for_update(read=True))
        return {(row.party, row.id) for row in rows} & set(keys)

    async def read(self, tx: Tx, keys: Sequence[tuple[str, str]]) -> list[Entry]:
        """Entries by (company, address id), in that order, without those that are gone."""
        parties, ids = sorted({party for party, _ in keys}), sorted({id for _, id in keys})
        rows = await tx.execute(sa.select(ADDRESSES).where(_A.party.in_(parties), _A.id.in_(ids)))
        found = {(row.party, row.id): _entry(row) for row in rows}
        return [found[key] for key in keys if key in found]

    async def get(self, tx: Tx, party: str, id: str) -> Entry | None:
        """One entry, locked."""
        statement = sa.select(ADDRESSES).where(_A.party == party, _A.id == id).with_for_update()
        row = (await tx.execute(statement)).first()
        return None if row is None else _entry(row)

    async def add(self, tx: Tx, entries: Sequence[Entry]) -> None:
        """Adds entries. Raises RESOURCE_EXISTS."""
        try:
            await tx.execute(tx.insert(ADDRESSES), [_row(entry) for entry in entries])
        except IntegrityError as error:
            if is_unique_violation(error):
                # Free when they were looked up; another transaction was faster with one of them.
                raise exists("address", entries[0].id) from None
            raise

    async def replace(self, tx: Tx, entry: Entry) -> None:
        """Writes an entry anew."""
        await tx.execute(sa.update(ADDRESSES).where(_A.party == entry.party, _A.id == entry.id).values(_row(entry)))

    async def remove(self, tx: Tx, party: str, id: str) -> None:
        """Removes an entry; its assignments go with it."""
        await tx.execute(sa.delete(ADDRESSES).where(_A.party == party, _A.id == id))

    async def assign(self, tx: Tx, items: Sequence[tuple[str, Assignment]]) -> None:
        """Adds or replaces assignments."""
        if not items:
            return
        insert = tx.insert(ADDRESS_ASSIGNMENTS)
        kept = {"shipping": insert.excluded.shipping, "billing": insert.excluded.billing}
        upsert = insert.on_conflict_do_update(index_elements=["party", "address_id", "user_id"], set_=kept)
        rows = [
            {
                "party": party,
                "address_id": item.address_id,
                "user_id": item.user_id,
                "shipping": item.shipping,
                "billing": item.billing,
            }
            for party, item in items
        ]
        await tx.execute(upsert, rows)

    async def unassign(self, tx: Tx, items: Sequence[tuple[str, Assignment]]) -> None:
        """Removes assignments."""
        named = sa.and_(
            _AA.party == sa.bindparam("b_party"),
            _AA.address_id == sa.bindparam("b_address"),
            _AA.user_id == sa.bindparam("b_user"),
        )
        rows = [{"b_party": party, "b_address": item.address_id, "b_user": item.user_id} for party, item in items]
        await tx.execute(sa.delete(ADDRESS_ASSIGNMENTS).where(named), rows)

    async def batch(self, caller: Principal, book: str, ids: Sequence[str], most: int) -> list[Entry]:
        """Entries by id, or the beginning of the book."""
        statement = sa.select(ADDRESSES).where(_readable(caller, book)).order_by(_A.id).limit(most)
        if ids:
            statement = statement.where(_A.id.in_(list(ids)))
        async with self._db.reading() as tx:
            return [_entry(row) for row in await tx.execute(statement)]

    async def page(self, caller: Principal, book: str, request: Any) -> tuple[list[Entry], str]:
        """A page of a book."""
        plan = self._plan(_ENTRIES, caller, book, request)
        statement = plan.apply(sa.select(ADDRESSES).where(_readable(caller, book)))
        async with self._db.reading() as tx:
            page = plan.page((await tx.execute(statement)).all())
        return [_entry(row) for row in page.rows], page.next_page_token

    async def assignments(self, caller: Principal, book: str, request: Any) -> tuple[list[tuple[str, Assignment]], str]:
        """A page of a book's assignments; without AddressAdmin those of the caller and of everyone."""
        plan = self._plan(_ASSIGNMENTS, caller, book, request)
        statement = sa.select(ADDRESS_ASSIGNMENTS).where(_AA.party == book)
        if caller.service is None and not caller.has(roles.ADDRESS_ADMIN):
            statement = statement.where(_AA.user_id.in_(["", caller.user_id]))
        async with self._db.reading() as tx:
            page = plan.page((await tx.execute(plan.apply(statement))).all())
        found = [(r.party, Assignment(r.address_id, r.user_id, r.shipping, r.billing)) for r in page.rows]
        return found, page.next_page_token

    def _plan(self, listing: Listing, caller: Principal, book: str, request: Any) -> Any:
        return listing.plan(
            self._db.dialect,
            filter=request.filter,
            order_by=request.order_by,
            page_size=request.page_size,
            page_token=request.page_token,
            bound={"party": caller.party_id, "user": caller.user_id, "book": book},
        )
