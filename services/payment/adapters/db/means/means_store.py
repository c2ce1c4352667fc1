"""Spending accounts, cards and the ledger. Balances change by sums, in one statement, beside the rows they sum up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict

from libs.db import Tx
from libs.db.among import among
from libs.idempotency import tombstones
from libs.relay.change import Change
from libs.relay.changes import note
from services.payment.adapters.db.tables import (
    ACCOUNT_ASSIGNMENTS,
    ACCOUNTS,
    ADJUSTMENTS,
    CARD_ASSIGNMENTS,
    CARDS,
    CHANGES,
    DELETED,
    LEDGER,
    PAYMENTS,
)
from services.payment.contract.resources import CARD
from services.payment.domain.means.means import Account, Card, Demand, Payer
from services.payment.domain.money.ledger import Adjustment, Movement, account_gains

A, S, C, K, P = ACCOUNTS.c, ACCOUNT_ASSIGNMENTS.c, CARDS.c, CARD_ASSIGNMENTS.c, PAYMENTS.c


_FREE = (~sa.exists().where(P.credit_card_id == C.id), ~sa.exists().where(K.credit_card_id == C.id))
"""Cards that no payment names and that nobody is assigned."""


class SqlMeansStore:
    """Rows of accounts are locked in the order of their ids."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def accounts(self, ids: Collection[str], payer: Payer | None = None, *, lock: bool = False) -> dict[str, Account]:
        """Spending accounts, with those of their assignments that count for the payer."""
        wanted = sorted({id for id in ids if id})
        if not wanted:
            return {}
        statement = sa.select(ACCOUNTS).where(A.id.in_(wanted)).order_by(A.id)
        rows = (await self._tx.execute(statement.with_for_update() if lock else statement)).all()
        users: dict[str, dict[str, bool]] = {}
        within: dict[str, dict[str, bool]] = {}
        for row in await self._assigned(S.spending_account_id, [r.id for r in rows], payer):
            if not row.user_group_id:
                users.setdefault(row.spending_account_id, {})[row.user_id] = row.allow_exceed
            else:
                within.setdefault(row.spending_account_id, {})[row.user_group_id] = row.allow_exceed
        return {
            r.id: Account(
                id=r.id,
                buyer_id=r.buyer_id,
                currency=r.currency,
                active=r.active,
                start_time=r.start_time,
                end_time=r.end_time,
                balance=r.balance,
                reserved=r.reserved,
                users=users.get(r.id, {}),
                groups=within.get(r.id, {}),
                unit_digits=r.unit_digits,
                rate=r.rate,
                order_currency=r.order_currency,
            )
            for r in rows
        }

    async def cards(self, ids: Collection[str], payer: Payer | None = None, *, lock: bool = False) -> dict[str, Card]:
        """Cards by id, with those of their assignments that count for the payer; with `lock` none of them is deleted until
        the transaction ends."""
        wanted = sorted({id for id in ids if id})
        if not wanted:
            return {}
        statement = (
            sa.select(C.id, C.buyer_id, C.user_id, C.token, C.restricted, C.order_id).where(C.id.in_(wanted)).order_by(C.id)
        )
        found = await self._tx.execute(statement.with_for_update(read=True, key_share=True) if lock else statement)
        rows = found.all()
        users: dict[str, list[str]] = {}
        within: dict[str, list[str]] = {}
        for row in await self._assigned(K.credit_card_id, [r.id for r in rows if r.restricted], payer):
            if not row.user_group_id:
                users.setdefault(row.credit_card_id, []).append(row.user_id)
            else:
                within.setdefault(row.credit_card_id, []).append(row.user_group_id)
        return {
            r.id: Card(
                id=r.id,
                buyer_id=r.buyer_id,
                user_id=r.user_id,
                token=r.token,
                restricted=r.restricted,
                order_id=r.order_id,
                users=users.get(r.id, ()),
                groups=within.get(r.id, ()),
            )
            for r in rows
        }

    async def remove_guests_cards(self, order_ids: Collection[str], now: datetime) -> None:
        """Cards that are noted for these orders and that no payment names and nobody is assigned. Their ids stay taken."""
        if order_ids:
            await self._remove_cards(C.order_id.in_(list(order_ids)), now)

    async def sweep_guests_cards(self, before: datetime, now: datetime, most: int) -> int:
        """Removes cards that guests noted, of whichever order, that nobody has changed since before a time and no payment names;
        at most so many at once. Returns how many went."""
        old = sa.select(C.id).where(C.order_id != "", C.update_time < before, *_FREE).order_by(C.update_time, C.id).limit(most)
        return await self._remove_cards(C.id.in_(old), now)

    async def _remove_cards(self, which: sa.ColumnElement[bool], now: datetime) -> int:
        gone = (await self._tx.execute(sa.delete(CARDS).where(which, *_FREE).returning(CARDS))).mappings().all()
        if not gone:
            return 0
        await tombstones.bury(self._tx, DELETED, CARDS.name, [row["id"] for row in gone], now)
        bodies = [(row, MessageToDict(CARD.write(row), preserving_proto_field_name=True)) for row in gone]
        note(self._tx, CHANGES, [Change(CARD.name, row["id"], row["version"], now, body) for row, body in bodies], follows=True)
        return len(gone)

    async def _assigned(self, means: sa.Column[str], ids: Sequence[str], payer: Payer | None) -> Iterable[Any]:
        """Assignments of these accounts or cards that count for the payer, in one statement for any number of groups.

        Each is to a user, to a group or to everyone, so that the three columns of the key find no other.
        """
        if not ids or payer is None:
            return ()
        a, dialect = means.table.c, self._tx.dialect
        users, groups = {"", *payer.user_ids}, {"", *payer.groups}
        found = (means.in_(ids), among(dialect, a.user_id, users), among(dialect, a.user_group_id, groups))
        return await self._tx.execute(sa.select(means.table).where(*found))

    async def hold(self, demands: Mapping[str, Demand], now: datetime) -> bool:
        """Reserves balances, all or none: `balance - reserved >= amount` stands in the update itself."""
        if not demands:
            return True
        amount = _by_id({id: d.amount for id, d in demands.items()})
        exceeding = [id for id, d in demands.items() if d.exceed]
        held = await self._tx.execute(
            sa.update(ACCOUNTS)
            .where(A.id.in_(list(demands)), sa.or_(A.id.in_(exceeding), A.balance - A.reserved >= amount))
            .values(reserved=A.reserved + amount, bookings=A.bookings + 1)
        )
        self._booked(demands, now)
        return bool(held.rowcount == len(demands))

    async def post(self, movements: Sequence[Movement], now: datetime, freed: Mapping[str, int] | None = None) -> None:
        """Writes movements, changes balances by their sums, and frees what was reserved."""
        rows = [
            {
                "transaction_id": m.id,
                "account": side.account,
                "amount": side.amount,
                "currency": m.currency,
                "order_id": m.order_id,
                "payment_id": m.payment_id,
                "description": m.description,
                "entry_time": now,
            }
            for m in movements
            for side in m.sides
        ]
        if rows:
            await self._tx.execute(self._tx.insert(LEDGER), rows)
        if causes := [_adjustment(m, m.adjustment, now) for m in movements if m.adjustment is not None]:
            await self._tx.execute(self._tx.insert(ADJUSTMENTS), causes)
        await self._change(account_gains(movements), freed or {}, now)

    def _booked(self, ids: Iterable[str], now: datetime) -> None:
        """The version of an account in the feed counts what was edited and what was booked."""
        note(self._tx, CHANGES, [Change("spending account", id, 0, now, key=id) for id in ids])

    async def _change(self, gains: Mapping[str, int], freed: Mapping[str, int], now: datetime) -> None:
        ids = sorted({*gains, *freed})
        if not ids:
            return
        if len(ids) > 1:
            # An update of several rows locks them in no order that is known.
            await self._tx.execute(sa.select(A.id).where(A.id.in_(ids)).order_by(A.id).with_for_update())
        statement = (
            sa.update(ACCOUNTS)
            .where(A.id == sa.bindparam("b_id"))
            .values(
                balance=A.balance + sa.bindparam("b_gain", type_=sa.BigInteger),
                reserved=A.reserved - sa.bindparam("b_freed", type_=sa.BigInteger),
                bookings=A.bookings + 1,
            )
        )
        rows = [{"b_id": id, "b_gain": gains.get(id, 0), "b_freed": freed.get(id, 0)} for id in ids]
        await self._tx.execute(statement, rows)
        self._booked(ids, now)


def _by_id(amounts: Mapping[str, int]) -> sa.ColumnElement[int]:
    return sa.case({id: sa.literal(amount, sa.BigInteger) for id, amount in amounts.items()}, value=A.id, else_=sa.literal(0))


def _adjustment(m: Movement, adjustment: Adjustment, now: datetime) -> dict[str, Any]:
    return {
        "id": m.id,
        "spending_account_id": adjustment.spending_account_id,
        "amount": adjustment.amount,
        "currency": m.currency,
        "description": m.description,
        "user_id": adjustment.asked.user_id,
        "request_id": adjustment.asked.request_id,
        "create_time": now,
    }
