"""Who may pay with which spending account and which card of the company."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from libs.db import Tx
from libs.db.among import among
from libs.relay.change import assignment_ended, assignment_made
from libs.relay.changes import note
from services.payment.adapters.db.tables import ACCOUNT_ASSIGNMENTS, ACCOUNTS, CARD_ASSIGNMENTS, CARDS, CHANGES, TYPE_ASSIGNMENTS
from services.payment.domain.means.assignments import Key

_A, _S, _C, _K, _Y = ACCOUNTS.c, ACCOUNT_ASSIGNMENTS.c, CARDS.c, CARD_ASSIGNMENTS.c, TYPE_ASSIGNMENTS.c

K = TypeVar("K", bound=tuple[str, ...])


class Kind:
    """Assignments of one kind: the table, whose first columns are the key, and their word in the feed."""

    def __init__(self, word: str, table: sa.Table) -> None:
        self._word = word
        self.table = table
        self.names = tuple(column.name for column in table.primary_key)
        self._columns = tuple(table.c[name] for name in self.names)

    def values(self, key: Sequence[str]) -> dict[str, str]:
        """The key as columns."""
        return dict(zip(self.names, key, strict=True))

    def made(self, tx: Tx, keys: Collection[Sequence[str]], now: datetime) -> None:
        """Writes into the feed that they stand."""
        note(tx, CHANGES, [assignment_made(self._word, key, now) for key in keys])

    async def new(self, tx: Tx, keys: Sequence[K]) -> list[K]:
        """Those that do not stand yet."""
        if not keys:
            return []
        # Keys often differ in one part alone. By the whole keys only, PostgreSQL holds each row of what they share against all.
        at, parts = max(enumerate({key[n] for key in keys} for n in range(len(self._columns))), key=lambda part: len(part[1]))
        named = sa.and_(among(tx.dialect, self._columns[at], parts), sa.tuple_(*self._columns).in_(keys))
        rows = await tx.execute(sa.select(*self._columns).where(named))
        there = {tuple(row) for row in rows}
        return [key for key in keys if key not in there]

    async def end(self, tx: Tx, keys: Collection[tuple[str, ...]], now: datetime, *more: sa.ColumnElement[bool]) -> None:
        """Ends those that stand; they are locked in the order of their keys, so that two calls do not wait for each other."""
        named = sa.and_(sa.tuple_(*self._columns).in_(sorted(set(keys))), *more)
        select = sa.select(self.table).where(named).order_by(*self._columns)
        gone = (await tx.execute(select.with_for_update())).mappings().all()
        if gone:
            await tx.execute(sa.delete(self.table).where(named))
        note(tx, CHANGES, [assignment_ended(self._word, [row[name] for name in self.names], now, row) for row in gone])


_OF_ACCOUNTS = Kind("spending account assignment", ACCOUNT_ASSIGNMENTS)
_OF_CARDS = Kind("credit card assignment", CARD_ASSIGNMENTS)


class SqlAssignmentStore:
    """Whatever is assigned is locked against removal first, in the order of ids."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def groups(self, buyer_id: str) -> set[str]:
        """Groups of the buyer that an account, a card or a declared type is assigned to."""
        accounts = sa.select(_S.user_group_id).join_from(ACCOUNT_ASSIGNMENTS, ACCOUNTS, _A.id == _S.spending_account_id)
        cards = sa.select(_K.user_group_id).join_from(CARD_ASSIGNMENTS, CARDS, _C.id == _K.credit_card_id)
        accounts = accounts.where(_S.user_group_id > "", _A.buyer_id == buyer_id)
        types = sa.select(_Y.user_group_id).where(_Y.user_group_id > "", _Y.buyer_id == buyer_id)
        all_of_them = sa.union(accounts, cards.where(_K.user_group_id > "", _C.buyer_id == buyer_id), types)
        return set((await self._tx.execute(all_of_them)).scalars())

    async def assign_accounts(self, rows: Mapping[Key, bool], now: datetime) -> list[str]:
        """Writes assignments with allow_exceed; returns accounts that do not exist, and stores nothing if there are any."""
        ids, keys = sorted({id for id, _, _ in rows}), sorted(rows)
        there = sa.select(_A.id).where(_A.id.in_(ids)).order_by(_A.id)
        known = set((await self._tx.execute(there.with_for_update(read=True, key_share=True))).scalars())
        missing = [id for id in ids if id not in known]
        if rows and not missing:
            insert = self._tx.insert(ACCOUNT_ASSIGNMENTS)
            replaced = {"allow_exceed": insert.excluded.allow_exceed}
            statement = insert.on_conflict_do_update(index_elements=_OF_ACCOUNTS.names, set_=replaced)
            await self._tx.execute(statement, [{**_OF_ACCOUNTS.values(key), "allow_exceed": rows[key]} for key in keys])
            _OF_ACCOUNTS.made(self._tx, keys, now)
        return missing

    async def unassign_accounts(self, keys: Collection[Key], now: datetime) -> None:
        """Ends assignments; those that do not exist are none."""
        await _OF_ACCOUNTS.end(self._tx, keys, now)

    async def owners(self, card_ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Buyer and user of cards, by id; none of them is deleted or assigned by others until the transaction ends."""
        statement = sa.select(_C.id, _C.buyer_id, _C.user_id).where(_C.id.in_(sorted(set(card_ids)))).order_by(_C.id)
        rows = await self._tx.execute(statement.with_for_update(key_share=True))
        return {row.id: (row.buyer_id, row.user_id) for row in rows}

    async def assign_cards(self, keys: Collection[Key], now: datetime) -> None:
        """Writes assignments that do not stand yet; their cards serve nobody else from now on."""
        new = await _OF_CARDS.new(self._tx, sorted(keys))
        if not new:
            return
        ids = sorted({id for id, _, _ in new})
        await self._tx.execute(sa.update(CARDS).where(_C.id.in_(ids), ~_C.restricted).values(restricted=True))
        await self._tx.execute(self._tx.insert(CARD_ASSIGNMENTS), [_OF_CARDS.values(key) for key in new])
        _OF_CARDS.made(self._tx, new, now)

    async def unassign_cards(self, keys: Collection[Key], buyer_id: str | None, now: datetime) -> None:
        """Ends assignments, of this buyer's cards unless it is None; those that do not exist are none."""
        its = [] if buyer_id is None else [_K.credit_card_id.in_(sa.select(_C.id).where(_C.buyer_id == buyer_id))]
        await _OF_CARDS.end(self._tx, keys, now, *its)
