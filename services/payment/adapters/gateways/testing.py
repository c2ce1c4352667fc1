"""The built-in test gateway. It remembers in a table of its own, in transactions of its own, as a real one would.

Tokens: `tok_approve`, `tok_decline`, `tok_timeout` (never answers and holds nothing), `tok_late` (does not answer, but
approves: it shows when it is asked by key), `tok_decline_capture`. Any other token is approved.
"""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from libs.db import Database, Tx
from libs.ids import new_id
from services.payment.adapters.db.tables import GATEWAY
from services.payment.application.ports import Answer, Verdict

G = GATEWAY.c


class TestGateway:
    """Approves, declines, times out and answers late, by token."""

    __test__ = False
    name = "test"

    def __init__(self, database: Database, delay: float = 0.0) -> None:
        self._db = database
        self._delay = delay

    async def authorize(self, key: str, token: str, amount: int, currency: str) -> Answer:
        """Holds an amount."""
        await asyncio.sleep(self._delay)
        if token == "tok_timeout":
            return Answer(Verdict.UNKNOWN)
        declined = token == "tok_decline"
        message = "insufficient_funds" if declined else ("decline_capture" if token == "tok_decline_capture" else "")
        async with self._db.transaction() as tx:
            known = await self._find(tx, key)
            if known is None:
                state = "DECLINED" if declined else "APPROVED"
                known = await self._put(tx, key, "authorize", amount, currency, state, message, token == "tok_late")
        if token == "tok_late":
            return Answer(Verdict.UNKNOWN)
        return _answer(known)

    async def void(self, key: str) -> Answer:
        """Ends an authorization; an unknown key is voided in advance, so that a late one holds nothing."""
        async with self._db.transaction() as tx:
            if await self._find(tx, key) is None:
                await self._put(tx, key, "authorize", 0, "", "VOIDED", "", False)
            else:
                await tx.execute(sa.update(GATEWAY).where(G.key == key, G.state == "APPROVED").values(state="VOIDED"))
        return Answer(Verdict.NOTHING)

    async def capture(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
        """Takes money of an authorization."""
        async with self._db.transaction() as tx:
            known = await self._find(tx, key)
            if known is None:
                held = await self._find(tx, authorization_key)
                good = held is not None and held.state == "APPROVED" and held.message != "decline_capture"
                state, text = ("APPROVED", "") if good else ("DECLINED", "no_authorization")
                known = await self._put(tx, key, "capture", amount, currency, state, text, False)
        return _answer(known)

    async def refund(self, key: str, authorization_key: str, amount: int, currency: str) -> Answer:
        """Gives captured money back."""
        async with self._db.transaction() as tx:
            known = await self._find(tx, key)
            if known is None:
                known = await self._put(tx, key, "refund", amount, currency, "APPROVED", "", False)
        return _answer(known)

    async def get_by_key(self, key: str) -> Answer:
        """What became of an operation."""
        async with self._db.reading() as tx:
            known = await self._find(tx, key)
        return Answer(Verdict.NOTHING) if known is None else _answer(known)

    async def _find(self, tx: Tx, key: str) -> sa.Row[tuple[str, ...]] | None:
        return (await tx.execute(sa.select(GATEWAY).where(G.key == key))).first()

    async def _put(
        self, tx: Tx, key: str, operation: str, amount: int, currency: str, state: str, message: str, late: bool
    ) -> sa.Row[tuple[str, ...]] | None:
        row = {
            "key": key, "operation": operation, "amount": amount, "currency": currency, "state": state,
            "reference": new_id("gw"), "message": message, "late": late,
        }  # fmt: skip
        await tx.execute(tx.insert(GATEWAY).on_conflict_do_nothing(), row)
        return await self._find(tx, key)


def _answer(row: sa.Row[tuple[str, ...]] | None) -> Answer:
    if row is None:
        return Answer(Verdict.NOTHING)
    if row.state == "VOIDED":
        return Answer(Verdict.NOTHING, row.reference)
    verdict = Verdict.APPROVED if row.state == "APPROVED" else Verdict.DECLINED
    return Answer(verdict, row.reference, row.message)
