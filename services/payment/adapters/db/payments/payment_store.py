"""Payments and their transactions."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from google.protobuf.json_format import MessageToDict
from sqlalchemy.exc import IntegrityError

from libs.db import Tx, is_unique_violation
from libs.errors import exists
from libs.relay.change import Change
from libs.relay.changes import note
from services.payment.adapters.db.tables import CHANGES, GATEWAY_WORD, ORDERS, PAYMENTS, TRANSACTIONS
from services.payment.application.ports import Deletion
from services.payment.contract.payments import payment_out
from services.payment.domain.payments.editing import FIELDS
from services.payment.domain.payments.payment import Payment
from services.payment.domain.payments.states import PERMANENT, State
from services.payment.domain.payments.transaction import Cause, Result, Transaction, TransactionType

P, T = PAYMENTS.c, TRANSACTIONS.c
_NAMES = [f.name for f in fields(Payment)]
_TRANSACTION_NAMES = [f.name for f in fields(Transaction)]
_MUTABLE = (
    "resolved_amount",
    "due",
    "accepted",
    "state",
    "attempt",
    "captured",
    "refunded",
    "authorization_expire_time",
    "unit",
    "unit_digits",
    "rate",
    "debited_units",
    "refunded_units",
    "surplus",
    "version",
    "update_time",
)
_SAVE = (
    sa.update(PAYMENTS)
    .where(P.id == sa.bindparam("b_id"))
    .values({name: sa.bindparam(f"b_{name}", type_=P[name].type) for name in _MUTABLE})
)
_OF_ORDER = sa.select(PAYMENTS).where(P.order_key == sa.bindparam("order_key")).order_by(P.position, P.id)

_OF_ORDER_OR_TAKEN = (
    sa.select(PAYMENTS)
    .where(sa.or_(P.order_key == sa.bindparam("order_key"), P.id.in_(sa.bindparam("ids", expanding=True))))
    .order_by(P.position, P.id)
    .with_for_update()
)
_TAKEN = sa.select(P.id).where(P.id.in_(sa.bindparam("ids", expanding=True)))


def payment_of(row: Any) -> Payment:
    """A payment."""
    values = {name: row[name] for name in _NAMES}
    values["state"] = State(values["state"])
    return Payment(**values)


_SHOWN = ("id", "order_id", "type", "currency", "spending_account_id", "credit_card_id", "purchase_order_number")


def payment_row(payment: Payment) -> dict[str, Any]:
    """The columns of a payment."""
    row = {name: getattr(payment, name) for name in _NAMES}
    row["state"] = payment.state.value
    row["xp"] = dict(payment.xp)
    return row


def transaction_of(row: Any) -> Transaction:
    """A transaction."""
    values = {name: row[name] for name in _TRANSACTION_NAMES}
    values["type"] = TransactionType(values["type"])
    values["result"] = Result(values["result"])
    values["cause"] = Cause(values["cause"])
    return Transaction(**values)


def _body(payment: Payment) -> dict[str, Any]:
    return MessageToDict(payment_out(payment), preserving_proto_field_name=True)


class SqlPaymentStore:
    """One statement for all payments of an order."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def of_order(self, key: uuid.UUID, *, lock: bool = False) -> list[Payment]:
        """Payments of an order, oldest first."""
        statement = _OF_ORDER.with_for_update() if lock else _OF_ORDER
        return [payment_of(r) for r in (await self._tx.execute(statement, {"order_key": key})).mappings()]

    async def of_orders(self, keys: Collection[uuid.UUID], *, lock: bool = False) -> list[Payment]:
        """Payments of several orders, oldest first."""
        statement = sa.select(PAYMENTS).where(P.order_key.in_(list(keys))).order_by(P.position, P.id)
        if lock:
            statement = statement.with_for_update()
        return [payment_of(r) for r in (await self._tx.execute(statement)).mappings()]

    async def of_ids(self, ids: Collection[str]) -> list[Payment]:
        """Payments by their ids."""
        rows = await self._tx.execute(sa.select(PAYMENTS).where(P.id.in_(list(ids))))
        return [payment_of(row) for row in rows.mappings()]

    async def get(self, payment_id: str, *, lock: bool = False) -> Payment | None:
        """One payment."""
        statement = sa.select(PAYMENTS).where(P.id == payment_id)
        found = await self._tx.execute(statement.with_for_update() if lock else statement)
        row = found.mappings().first()
        return None if row is None else payment_of(row)

    async def of_order_or_taken(self, key: uuid.UUID, ids: Collection[str]) -> tuple[list[Payment], set[str]]:
        """Payments of an order, locked, oldest first; and those of the ids that some payment has."""
        found = await self._tx.execute(_OF_ORDER_OR_TAKEN, {"order_key": key, "ids": list(ids)})
        read = [payment_of(row) for row in found.mappings()]
        return [p for p in read if p.order_key == key], {p.id for p in read} & set(ids)

    async def require_free(self, ids: Collection[str]) -> None:
        """Raises RESOURCE_EXISTS for an id that some payment has."""
        taken = (await self._tx.execute(_TAKEN, {"ids": list(ids)})).scalars().first()
        if taken is not None:
            raise exists("payment", taken)

    def _add_to_feed(self, payments: Sequence[Payment]) -> None:
        note(self._tx, CHANGES, [Change("payment", p.id, p.version, p.update_time) for p in payments])

    async def insert(self, payments: Sequence[Payment]) -> None:
        """New ones; an id that was taken meanwhile is RESOURCE_EXISTS."""
        if not payments:
            return
        try:
            await self._tx.execute(self._tx.insert(PAYMENTS), [payment_row(p) for p in payments])
        except IntegrityError as error:
            if is_unique_violation(error):
                raise exists("payment", payments[0].id) from None
            raise
        self._add_to_feed(payments)

    async def save(self, payments: Sequence[Payment]) -> None:
        """Changed ones, in one statement."""
        if payments:
            rows = [{"b_id": p.id, **{f"b_{n}": getattr(p, n) for n in _MUTABLE}} for p in payments]
            await self._tx.execute(_SAVE, [{**row, "b_state": row["b_state"].value} for row in rows])
            self._add_to_feed(payments)

    async def edit(self, payment: Payment) -> None:
        """One whose people have changed it."""
        row = payment_row(payment)
        values = {
            name: row[name] for name in (*FIELDS, "accepted", "resolved_amount", "due", "surplus", "version", "update_time")
        }
        await self._tx.execute(sa.update(PAYMENTS).where(P.id == payment.id).values(values))
        self._add_to_feed([payment])

    async def remove(self, payment_ids: Sequence[str], now: datetime) -> None:
        """Removed ones, with their transactions: the id may be given again."""
        await self._tx.execute(sa.delete(TRANSACTIONS).where(T.payment_id.in_(list(payment_ids))))
        statement = sa.delete(PAYMENTS).where(P.id.in_(list(payment_ids))).returning(PAYMENTS)
        gone = [payment_of(row) for row in (await self._tx.execute(statement)).mappings()]
        note(self._tx, CHANGES, [Change("payment", p.id, p.version, now, _body(p)) for p in gone])

    async def add_transactions(self, rows: Sequence[Transaction]) -> None:
        """New ones."""
        if rows:
            await self._tx.execute(self._tx.insert(TRANSACTIONS), [_transaction_row(row) for row in rows])

    async def settle(
        self, id: str, result: Result, reference: str, message: str, now: datetime, expire: datetime | None = None
    ) -> bool:
        """Writes the result of a pending one; False when it is known already."""
        done = await self._tx.execute(
            sa.update(TRANSACTIONS)
            .where(T.id == id, T.result == Result.PENDING.value)
            .values(
                result=result.value,
                gateway_reference=kept(reference),
                message=kept(message),
                result_time=now,
                ask_time=None,
                expire_time=expire,
            )
        )
        return bool(done.rowcount == 1)

    async def take_over_refunds(self, payment_ids: Collection[str]) -> None:
        """Pending refunds become part of the order's cancel."""
        if payment_ids:
            pending = sa.and_(T.type == TransactionType.REFUND.value, T.result == Result.PENDING.value)
            statement = sa.update(TRANSACTIONS).where(T.payment_id.in_(list(payment_ids)), pending)
            await self._tx.execute(statement.values(cause=Cause.CANCEL.value))

    async def transactions(self, payment_ids: Collection[str]) -> list[Transaction]:
        """Transactions of payments, oldest first."""
        if not payment_ids:
            return []
        statement = sa.select(TRANSACTIONS).where(T.payment_id.in_(list(payment_ids)))
        rows = (await self._tx.execute(statement.order_by(T.create_time, T.id))).mappings()
        return [transaction_of(row) for row in rows]

    async def lowered(self, key: uuid.UUID, attempt: int, now: datetime) -> bool:
        """Notes the last change that lowered an order's payments; False when it is not newer."""
        insert = self._tx.insert(ORDERS)
        newer = {"lowered_attempt": insert.excluded.lowered_attempt, "update_time": insert.excluded.update_time}
        statement = insert.on_conflict_do_update(
            index_elements=["order_key"], set_=newer, where=ORDERS.c.lowered_attempt < insert.excluded.lowered_attempt
        )
        row = {"order_key": key, "lowered_attempt": attempt, "update_time": now}
        return bool((await self._tx.execute(statement, row)).rowcount == 1)

    async def note_deletions(self, deletions: Mapping[uuid.UUID, Deletion], now: datetime, *, gone: bool = False) -> None:
        """Notes that orders are to be deleted as they stand at a version; an older note stays behind a newer one. Of those that
        are gone, it is noted when that became known."""
        if not deletions:
            return
        insert = self._tx.insert(ORDERS)
        known, new = ORDERS.c, insert.excluded
        newer = known.deletion_version < new.deletion_version
        noted = {
            "deletion_version": sa.case((newer, new.deletion_version), else_=known.deletion_version),
            "payments_deleted": sa.or_(known.payments_deleted, new.payments_deleted),
            "delete_time": sa.func.coalesce(known.delete_time, new.delete_time),
            "update_time": new.update_time,
        }
        statement = insert.on_conflict_do_update(index_elements=["order_key"], set_=noted)
        rows = [
            {
                "delete_time": now if gone else None,
                "order_key": key,
                "lowered_attempt": 0,
                "deletion_version": one.version,
                "payments_deleted": one.took,
                "update_time": now,
            }
            for key, one in sorted(deletions.items())
        ]
        await self._tx.execute(statement, rows)

    async def deletion(self, key: uuid.UUID) -> Deletion:
        """What is known of it."""
        its = sa.select(ORDERS.c.deletion_version, ORDERS.c.payments_deleted).where(ORDERS.c.order_key == key)
        row = (await self._tx.execute(its)).first()
        return Deletion() if row is None else Deletion(row.deletion_version, row.payments_deleted)

    async def note_paid_again(self, key: uuid.UUID, now: datetime) -> None:
        """Payments have come in the place of those that a deletion took."""
        paid = {"payments_deleted": False, "update_time": now}
        await self._tx.execute(sa.update(ORDERS).where(ORDERS.c.order_key == key).values(paid))

    async def ended(self, keys: Collection[uuid.UUID]) -> set[uuid.UUID]:
        """Which of these orders are known to have ended."""
        if not keys:
            return set()
        its = (ORDERS.c.order_key.in_(list(keys)), ORDERS.c.end_time.is_not(None))
        return set((await self._tx.execute(sa.select(ORDERS.c.order_key).where(*its))).scalars())

    async def note_ends(self, keys: Collection[uuid.UUID], now: datetime) -> None:
        """Notes that these orders have ended."""
        if keys:
            insert = self._tx.insert(ORDERS)
            ends = {"end_time": insert.excluded.end_time, "update_time": insert.excluded.update_time}
            rows = [{"order_key": key, "lowered_attempt": 0, "end_time": now, "update_time": now} for key in sorted(keys)]
            await self._tx.execute(insert.on_conflict_do_update(index_elements=["order_key"], set_=ends), rows)

    async def lapsing(self, now: datetime, until: datetime, limit: int) -> set[uuid.UUID]:
        """Orders of payments whose authorization is to be renewed, or has lapsed."""
        found = await self._tx.execute(_lapsing(now, until).order_by(P.authorization_expire_time, P.id).limit(limit))
        return {row["order_key"] for row in found.mappings()}

    async def claim_lapsing(self, key: uuid.UUID, now: datetime, until: datetime) -> list[Payment]:
        """Those payments of an order, locked; what another replica has locked is left to it."""
        statement = _lapsing(now, until).where(P.order_key == key).order_by(P.id)
        found = await self._tx.execute(statement.with_for_update(skip_locked=True, of=PAYMENTS))
        return [payment_of(row) for row in found.mappings()]

    async def any_due(self, now: datetime) -> bool:
        """Whether a gateway has to be asked about any."""
        return (await self._tx.execute(sa.select(T.id).where(T.ask_time <= now).limit(1))).first() is not None

    async def claim_due(self, now: datetime, again: datetime, limit: int) -> list[Transaction]:
        """Pending ones that a gateway has to be asked about; other replicas leave them alone until `again`."""
        statement = (
            sa.select(TRANSACTIONS)
            .where(T.ask_time <= now)
            .order_by(T.ask_time, T.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = [transaction_of(row) for row in (await self._tx.execute(statement)).mappings()]
        if found:
            ids = [row.id for row in found]
            await self._tx.execute(sa.update(TRANSACTIONS).where(T.id.in_(ids)).values(ask_time=again))
        return found


def _lapsing(now: datetime, until: datetime) -> sa.Select[Any]:
    def asked(type: TransactionType) -> sa.Exists:
        return sa.exists().where(T.payment_id == P.id, T.result == Result.PENDING.value, T.type == type.value)

    over = sa.exists().where(ORDERS.c.order_key == P.order_key, ORDERS.c.end_time.is_not(None))
    renewed = sa.and_(
        P.state.in_((State.CONFIRMED.value, State.CAPTURED.value)), P.due > P.captured, ~asked(TransactionType.AUTHORIZE), ~over
    )
    return sa.select(PAYMENTS).where(
        P.authorization_expire_time <= until,
        P.state.in_([state.value for state in PERMANENT]),
        ~asked(TransactionType.CAPTURE),
        sa.or_(P.authorization_expire_time <= now, renewed),
        sa.or_(P.renew_time.is_(None), P.renew_time <= now),
    )


def kept(word: str) -> str:
    """What is kept of a gateway's word. What it did is known by then, so nothing about the word may fail."""
    return word.replace("\0", "")[:GATEWAY_WORD]


def _transaction_row(row: Transaction) -> dict[str, Any]:
    return {**asdict(row), "type": row.type.value, "result": row.result.value, "cause": row.cause.value}
