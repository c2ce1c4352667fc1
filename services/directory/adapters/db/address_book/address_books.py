"""Address books and assignments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from libs.auth import Principal
from libs.db import Tx, is_unique_violation
from libs.errors import exists, missing
from libs.idempotency import tombstones
from libs.ids import valid_id
from libs.relay.change import Change, assignment_ended, assignment_made
from libs.relay.changes import append, note
from services.directory.adapters.db.tables import ADDRESS_ASSIGNMENTS, ADDRESSES, BUYERS, CHANGES, DELETED
from services.directory.domain.address_book.addresses import Assignment, Entry

_ASSIGNMENT, _KEYS = "address assignment", ("party", "address_id", "user_id", "user_group_id")
_A, _AA = ADDRESSES.c, ADDRESS_ASSIGNMENTS.c
_KEY = [_AA[name] for name in _KEYS]


def entry_of(row: Any) -> Entry:
    """The entry of a row."""
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


def _full(party: str, id: str) -> str:
    """An id that is unique among all books."""
    return f"{party}/{id}"


class SqlAddressBooks:
    """Address books in one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def restricted(self, caller: Principal) -> bool:
        """Whether the caller's buyer restricts addresses."""
        statement = sa.select(BUYERS.c.restrict_addresses).where(BUYERS.c.id == caller.party_id)
        return bool((await self._tx.execute(statement)).scalar())

    async def taken(self, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (company, address id) that exist, locked against removal."""
        valid = [(party, id) for party, id in keys if valid_id(id) and valid_id(party.partition(":")[2])]
        parties, ids = sorted({party for party, _ in valid}), sorted({id for _, id in valid})
        if not ids:
            return set()
        statement = sa.select(_A.party, _A.id).where(_A.party.in_(parties), _A.id.in_(ids))
        rows = await self._tx.execute(statement.order_by(_A.party, _A.id).with_for_update(read=True))
        return {(row.party, row.id) for row in rows} & set(keys)

    async def kept_by_others(self, keys: Collection[tuple[str, str]], user_id: str) -> set[tuple[str, str]]:
        """Those (company, address id) that a user other than this one keeps for itself."""
        parties, ids = sorted({party for party, _ in keys}), sorted({id for _, id in keys if valid_id(id)})
        kept = sa.select(_A.party, _A.id).where(_A.party.in_(parties), _A.id.in_(ids), _A.user_id.not_in(["", user_id]))
        return {(row.party, row.id) for row in await self._tx.execute(kept)} & set(keys)

    async def gone(self, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (company, address id) that were deleted, so that nothing else may be called so yet."""
        by_id = {_full(party, id): (party, id) for party, id in keys if valid_id(id) and valid_id(party.partition(":")[2])}
        if not by_id:
            return set()
        rows = await self._tx.execute(tombstones.gone(DELETED, ADDRESSES.name, sorted(by_id)))
        return {by_id[id] for id in rows.scalars()}

    async def read(self, keys: Sequence[tuple[str, str]]) -> list[Entry]:
        """Entries by (company, address id), in that order. Raises NOT_FOUND for one that is gone."""
        parties, ids = sorted({party for party, _ in keys}), sorted({id for _, id in keys})
        rows = await self._tx.execute(sa.select(ADDRESSES).where(_A.party.in_(parties), _A.id.in_(ids)))
        found = {(row.party, row.id): entry_of(row) for row in rows}
        for key in keys:
            if key not in found:
                raise missing("address", key[1])
        return [found[key] for key in keys]

    async def get(self, party: str, id: str) -> Entry | None:
        """One entry, locked."""
        statement = sa.select(ADDRESSES).where(_A.party == party, _A.id == id).with_for_update()
        row = (await self._tx.execute(statement)).first()
        return None if row is None else entry_of(row)

    async def add(self, entries: Sequence[Entry]) -> None:
        """Adds entries. Raises RESOURCE_EXISTS."""
        try:
            await self._tx.execute(self._tx.insert(ADDRESSES), [_row(entry) for entry in entries])
        except IntegrityError as error:
            if is_unique_violation(error):
                # Free when they were looked up; another transaction was faster with one of them.
                raise exists("address", entries[0].id) from None
            raise
        await self._add_to_feed(entries)

    async def replace(self, entry: Entry) -> None:
        """Writes an entry anew."""
        await self._tx.execute(sa.update(ADDRESSES).where(_A.party == entry.party, _A.id == entry.id).values(_row(entry)))
        await self._add_to_feed([entry])

    async def remove(self, party: str, id: str, now: datetime) -> None:
        """Removes an entry and its assignments; its id stays taken."""
        await self._end_assignments(sa.and_(_AA.party == party, _AA.address_id == id), now)
        statement = sa.delete(ADDRESSES).where(_A.party == party, _A.id == id).returning(ADDRESSES)
        removed = [entry_of(row) for row in await self._tx.execute(statement)]
        await tombstones.bury(self._tx, DELETED, ADDRESSES.name, [_full(party, id)], now)
        await self._add_to_feed(removed, now)

    async def _add_to_feed(self, entries: Sequence[Entry], deleted: datetime | None = None) -> None:
        """An id is unique within its company's book only, so the company stands before it."""
        made = [
            Change(
                "address",
                _full(e.party, e.id),
                e.version,
                deleted or e.update_time,
                {"id": e.id, "user_id": e.user_id, "address": dict(e.address), "xp": dict(e.xp)} if deleted else None,
            )
            for e in entries
        ]
        await append(self._tx, CHANGES, made)

    async def assign(self, items: Sequence[tuple[str, Assignment]], now: datetime) -> None:
        """Adds or replaces assignments."""
        if not items:
            return
        insert = self._tx.insert(ADDRESS_ASSIGNMENTS)
        kept = {"shipping": insert.excluded.shipping, "billing": insert.excluded.billing}
        upsert = insert.on_conflict_do_update(index_elements=_KEYS, set_=kept)
        rows = [
            {
                "party": party,
                "address_id": item.address_id,
                "user_id": item.user_id,
                "user_group_id": item.group_id,
                "shipping": item.shipping,
                "billing": item.billing,
            }
            for party, item in items
        ]
        await self._tx.execute(upsert, rows)
        note(self._tx, CHANGES, [assignment_made(_ASSIGNMENT, [str(row[k]) for k in _KEYS], now) for row in rows])

    async def unassign(self, items: Sequence[tuple[str, Assignment]], now: datetime) -> None:
        """Removes those that stand."""
        if not items:
            return
        names = sorted({(party, item.address_id, item.user_id, item.group_id) for party, item in items})
        await self._end_assignments(sa.tuple_(*_KEY).in_(names), now)

    async def _end_assignments(self, which: sa.ColumnElement[bool], now: datetime) -> None:
        """Removes assignments, each a change of its own."""
        select = sa.select(ADDRESS_ASSIGNMENTS).where(which).order_by(*_KEY)
        gone = (await self._tx.execute(select.with_for_update())).mappings().all()
        if gone:
            await self._tx.execute(sa.delete(ADDRESS_ASSIGNMENTS).where(which))
        note(self._tx, CHANGES, [assignment_ended(_ASSIGNMENT, [str(row[k]) for k in _KEYS], now, row) for row in gone])
