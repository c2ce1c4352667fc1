"""Authorizations that wait for their buyers."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from libs.db import Tx
from services.payment.adapters.db.payments.payment_store import kept
from services.payment.adapters.db.tables import REDIRECTS
from services.payment.domain.redirects.redirect import LIVE, Redirect, RedirectState

R = REDIRECTS.c
_NAMES = [f.name for f in fields(Redirect)]
_MUTABLE = ("state", "url", "gateway_reference", "message", "attempt", "authorization_expire_time", "ask_time", "update_time")
_SAVE = (
    sa.update(REDIRECTS)
    .where(R.id == sa.bindparam("b_id"))
    .values({name: sa.bindparam(f"b_{name}", type_=R[name].type) for name in _MUTABLE})
)
_LIVE = sorted(state.value for state in LIVE)


def redirect_of(row: Any) -> Redirect:
    """One of them."""
    values = {name: row[name] for name in _NAMES}
    values["state"] = RedirectState(values["state"])
    return Redirect(**values)


def _row(redirect: Redirect) -> dict[str, Any]:
    row = {name: getattr(redirect, name) for name in _NAMES}
    words = {"gateway_reference": kept(redirect.gateway_reference), "message": kept(redirect.message)}
    return {**row, **words, "state": redirect.state.value}


class SqlRedirectStore:
    """One statement for all of an order."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def of_order(self, key: uuid.UUID, *, lock: bool = False) -> list[Redirect]:
        """Newest first."""
        statement = sa.select(REDIRECTS).where(R.order_key == key).order_by(R.id.desc())
        rows = await self._tx.execute(statement.with_for_update() if lock else statement)
        return [redirect_of(row) for row in rows.mappings()]

    async def of_payments(self, payment_ids: Collection[str]) -> list[Redirect]:
        """Oldest first."""
        if not payment_ids:
            return []
        rows = await self._tx.execute(sa.select(REDIRECTS).where(R.payment_id.in_(list(payment_ids))).order_by(R.id))
        return [redirect_of(row) for row in rows.mappings()]

    async def get(self, id: str, *, lock: bool = False) -> Redirect | None:
        """One of them."""
        return await self._one(sa.select(REDIRECTS).where(R.id == id), lock=lock)

    async def by_gateway_key(self, key: str) -> Redirect | None:
        """That of our key at the provider."""
        return await self._one(sa.select(REDIRECTS).where(R.gateway_key == key))

    async def _one(self, statement: sa.Select[Any], *, lock: bool = False) -> Redirect | None:
        found = await self._tx.execute(statement.with_for_update() if lock else statement)
        row = found.mappings().first()
        return None if row is None else redirect_of(row)

    async def insert(self, redirect: Redirect) -> None:
        """A new one."""
        await self._tx.execute(self._tx.insert(REDIRECTS), {**_row(redirect), "gateway_key": redirect.gateway_key})

    async def save(self, redirects: Sequence[Redirect]) -> None:
        """Changed ones, in one statement."""
        if redirects:
            rows = [_row(r) for r in redirects]
            await self._tx.execute(_SAVE, [{"b_id": r["id"], **{f"b_{n}": r[n] for n in _MUTABLE}} for r in rows])

    async def let_go(self, key: uuid.UUID, attempt: int, now: datetime) -> dict[str, str]:
        """What an attempt had taken over waits for the next one, until its time."""
        free = {"state": RedirectState.AUTHORIZED.value, "attempt": 0, "ask_time": R.expire_time, "update_time": now}
        its = (R.order_key == key, R.attempt == attempt, R.state == RedirectState.ADOPTED.value)
        rows = await self._tx.execute(sa.update(REDIRECTS).where(*its).values(free).returning(R.payment_id, R.gateway_key))
        return {row.payment_id: row.gateway_key for row in rows}

    async def end(self, payment_ids: Collection[str], now: datetime) -> None:
        """Whatever there is of payments that are removed is to be voided."""
        if payment_ids:
            its = (R.payment_id.in_(list(payment_ids)), R.state.in_((*_LIVE, RedirectState.ADOPTED.value)))
            ending = {"state": RedirectState.ENDING.value, "attempt": 0, "ask_time": now, "update_time": now}
            await self._tx.execute(sa.update(REDIRECTS).where(*its).values(ending))

    async def any_due(self, now: datetime) -> bool:
        """Whether something is to be done about any."""
        return (await self._tx.execute(sa.select(R.id).where(R.ask_time <= now).limit(1))).first() is not None

    async def claim_due(self, now: datetime, again: datetime, limit: int) -> list[Redirect]:
        """Those that something is to be done about; other replicas leave them alone until `again`."""
        statement = sa.select(REDIRECTS).where(R.ask_time <= now).order_by(R.ask_time, R.id).limit(limit)
        rows = await self._tx.execute(statement.with_for_update(skip_locked=True))
        found = [redirect_of(row) for row in rows.mappings()]
        if found:
            ids = [r.id for r in found]
            await self._tx.execute(sa.update(REDIRECTS).where(R.id.in_(ids)).values(ask_time=again))
        return found
