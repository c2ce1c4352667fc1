"""Entries of the ledger, as they are listed."""

from __future__ import annotations

import sqlalchemy as sa

from libs.db import Database
from libs.query import Field, Listing
from libs.query.request import Page, PageRequest
from services.payment.adapters.db.tables import ADJUSTMENTS, LEDGER
from services.payment.application.ports import LedgerEntry

C = LEDGER.c
LISTING = Listing(
    {
        "account": Field(C.account),
        "order_id": Field(C.order_id),
        "payment_id": Field(C.payment_id),
        "transaction_id": Field(C.transaction_id),
        "entry_time": Field(C.entry_time, "time"),
        "number": Field(C.number, "int"),
    },
    C.number,
    default_order="number",
)


_ENTRIES = sa.select(
    LEDGER,
    sa.func.coalesce(ADJUSTMENTS.c.user_id, "").label("user_id"),
    sa.func.coalesce(ADJUSTMENTS.c.request_id, "").label("request_id"),
).outerjoin_from(LEDGER, ADJUSTMENTS, ADJUSTMENTS.c.id == C.transaction_id)


class SqlLedgerEntries:
    """Reads the ledger."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(self, request: PageRequest) -> Page[LedgerEntry]:
        """A page, oldest first."""
        plan = LISTING.plan(self._db.dialect, request)
        async with self._db.reading(snapshot=plan.counts) as tx:
            page = await plan.read(tx, _ENTRIES)
        found = [
            LedgerEntry(
                number=r.number,
                transaction_id=r.transaction_id,
                account=r.account,
                amount=r.amount,
                currency=r.currency,
                order_id=r.order_id,
                payment_id=r.payment_id,
                description=r.description,
                entry_time=r.entry_time,
                user_id=r.user_id,
                request_id=r.request_id,
            )
            for r in page.items
        ]
        return page.of(found)
